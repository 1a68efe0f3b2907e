"""The environment variables of a test: every AWS client that is made meanwhile finds the test's cloud, and nothing else."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from lambdalog.settings import other_endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Neither this machine's profiles nor its metadata service lead to AWS.
_NOWHERE: Final = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_NO_PROXY: Final = ("NO_PROXY", "no_proxy")
_LOOPBACK: Final = "127.0.0.1,localhost"


@contextmanager
def surroundings(variables: Mapping[str, str]) -> Iterator[None]:
    """While it lasts, these are the only AWS variables; afterwards all of the environment is as it was.

    Endpoints of services that are not ours stay: AWS_ENDPOINT_URL_S3 may lead to a moto server, or to its mocks. boto3's default session is put aside too: it remembers the credentials that it found first.
    """
    before = dict(os.environ)
    boto3: Any = sys.modules.get("boto3")
    session = None if boto3 is None else boto3.DEFAULT_SESSION
    for name in before:
        if name.startswith(("AWS_", "LAMBDALOG_STORE")):
            del os.environ[name]
    os.environ.update(other_endpoints(before))
    os.environ.update(_NOWHERE)
    os.environ.update(variables)
    for name in _NO_PROXY:
        os.environ[name] = ",".join(filter(None, [before.get(name), _LOOPBACK]))
    if boto3 is not None:
        boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
        boto3 = sys.modules.get("boto3")
        if boto3 is not None:
            boto3.DEFAULT_SESSION = session
