"""What is renewed in a child process."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

CODE = """
import os
from lambdalog.forked import after_fork
class Owner:
    renewed = 0
    def renew(self): Owner.renewed += 1
owner, gone = Owner(), Owner()
after_fork(owner.renew); after_fork(gone.renew)
del gone
pid = os.fork()
if pid == 0:
    os._exit(Owner.renewed)
assert Owner.renewed == 0
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork() here")
def test_whoever_lives_is_renewed_in_the_child() -> None:
    """Once, in the child alone; registering keeps nothing alive."""
    gc.collect()
    assert subprocess.run([sys.executable, "-c", CODE], check=False, timeout=20).returncode == 1
