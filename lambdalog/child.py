"""A process of its own that runs one of our modules, and the line to it.

It is another interpreter, not a fork: whoever begins it may have threads. What is said over the line is pickled; only the two
of them have it, and what either says is data that it made, never what it read.
"""

from __future__ import annotations

import subprocess
import sys
from multiprocessing import Pipe


class Child:
    """Runs `python ARGUMENTS… DESCRIPTOR`; the descriptor is its end of the line. OSError where it can't be begun.

    It should end with the line: that is closed when its parent ends, in whatever way.
    """

    def __init__(self, *arguments: str) -> None:
        self.connection, theirs = Pipe()
        with theirs:
            try:
                self.process = subprocess.Popen(
                    # -P: what lies in the folder that the user is in is no module of ours.
                    [sys.executable, "-P", *arguments, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # Ctrl-C in the terminal is its parent's business
                )
            except OSError:
                self.connection.close()
                raise

    def kill(self) -> None:
        """End it at once, and leave nothing of it behind: for those that only read."""
        self.connection.close()
        self.process.kill()
        self.process.wait()
