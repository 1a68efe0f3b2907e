"""What all doubles share."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, OperationNotPageableError, ParamValidationError

from lambdalog.local.base import implemented, operations
from lambdalog.local.logs import Logs

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

PATIENCE = 60
FORKS = """
import os
from lambdalog.arn import Scope
from lambdalog.local.sts import Sts
sts = Sts(scope=Scope())
sts.get_caller_identity()
child = os.fork()
if child:
    os.waitpid(child, 0)
for _ in range(2):
    print(sts.get_caller_identity()["ResponseMetadata"]["RequestId"], flush=True)
os._exit(0)
"""


def test_parameters_are_checked_as_boto3_does(cloud: Cloud) -> None:
    """A missing, unknown or wrongly typed parameter is botocore's own error, and positional ones are refused."""
    with pytest.raises(ParamValidationError, match="Missing required parameter"):
        cloud.logs.create_log_group()  # type: ignore[call-arg]
    with pytest.raises(ParamValidationError, match="Unknown parameter"):
        cloud.logs.create_log_group(logGroupName="g", nope=1)  # type: ignore[call-arg]
    with pytest.raises(ParamValidationError, match="Invalid type"):
        cloud.logs.create_log_group(logGroupName=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="only accepts keyword arguments"):
        cloud.client("logs").create_log_group("g")
    assert cloud.logs.describe_log_groups()["logGroups"] == []


def test_limits_are_worded_as_the_service_words_them(cloud: Cloud) -> None:
    """A value over a modelled limit is the service's validation error."""
    with pytest.raises(cloud.logs.exceptions.InvalidParameterException) as info:
        cloud.logs.describe_log_groups(limit=51)
    assert info.value.response["Error"]["Message"] == (
        "1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: "
        "Member must have value less than or equal to 50"
    )


def test_responses_carry_metadata(cloud: Cloud) -> None:
    """A response has a request id and a status, as boto3's."""
    metadata = cloud.logs.create_log_group(logGroupName="g")["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 200
    assert metadata["RequestId"]


def test_request_ids_of_a_forked_child_are_its_own() -> None:
    """A process and its fork give no request id twice."""
    found = subprocess.run(
        [sys.executable, "-c", FORKS], check=True, timeout=PATIENCE, capture_output=True, text=True
    ).stdout.split()
    assert len(found) == len(set(found)) == 4


def test_an_operation_that_is_not_there_says_so(cloud: Cloud) -> None:
    """What a double lacks is answered as the service answers an operation that it doesn't know."""
    with pytest.raises(ClientError, match="UnknownOperationException"):
        cloud.logs.describe_import_tasks()
    with pytest.raises(AttributeError):
        cloud.logs.no_such_thing  # type: ignore[attr-defined] # noqa: B018


def test_operations_are_called_by_their_wire_name(cloud: Cloud) -> None:
    """call() dispatches by the name that stands in a request."""
    logs = cloud.client("logs")
    logs.call("CreateLogGroup", {"logGroupName": "g"})
    assert [group["logGroupName"] for group in logs.call("DescribeLogGroups", {})["logGroups"]] == ["g"]
    with pytest.raises(ClientError, match="UnknownOperationException"):
        logs.call("NoSuchThing", {})


def test_paginators_and_waiters_are_botocores(cloud: Cloud) -> None:
    """Whatever boto3 can page or wait for, a double can."""
    assert cloud.logs.can_paginate("filter_log_events")
    with pytest.raises(OperationNotPageableError):
        cloud.logs.get_paginator("put_log_events")  # type: ignore[call-overload]
    assert "function_exists" in cloud.lambda_.waiter_names
    with pytest.raises(ValueError, match="Waiter does not exist"):
        cloud.logs.get_waiter("x")


def test_what_a_double_has_is_known() -> None:
    """The implemented operations are real ones of the service."""
    found = implemented(Logs)
    assert "PutLogEvents" in found
    assert "DescribeImportTasks" not in found
    assert found <= set(operations("logs").values())
