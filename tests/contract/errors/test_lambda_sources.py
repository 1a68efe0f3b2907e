"""Lambda's errors on event source mappings, layers and tags, as AWS was recorded to word them. Patterns are told as far as AWS doesn't change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.errors.lambda_words import INVALID, NONE, ONE, SET, STATUS, F, as_far_as
from tests.refusals import Refusal

if TYPE_CHECKING:
    from tests.contract.errors.conftest import Ask, World

LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:"


def mapped(**params: Any) -> Ask:
    """A queue mapped to a function."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        w.function()
        w.queue()
        source = {"FunctionName": "f", "EventSourceArn": w.arn("sqs", "q")}
        return w.functions.create_event_source_mapping, {
            key: value for key, value in {**source, **params}.items() if value is not None
        }

    return ask


def layered(*arns: str) -> Ask:
    """A function with layers."""

    def ask(w: World) -> tuple[Any, dict[str, Any]]:
        w.function()
        return w.functions.update_function_configuration, {"FunctionName": "f", "Layers": list(arns)}

    return ask


# What is refused: how it is asked, the error's code, the beginning of its text (all of it where it ends with a period).
CASES: dict[str, tuple[Ask, str, str]] = {
    "no source": (mapped(EventSourceArn=None), INVALID, "Unrecognized event source."),
    "mapped to none": (mapped(FunctionName="none"), INVALID, "Function does not exist"),
    "no such mapping": (
        lambda w: (
            w.functions.delete_event_source_mapping,
            {"UUID": "11111111-2222-3333-4444-555555555555"},
        ),
        NONE,
        "The resource you requested does not exist.",
    ),
    "mapping, a destination": (
        mapped(DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}}),
        INVALID,
        "Unsupported DestinationConfig parameter for given event source mapping type.",
    ),
    "mapping, a large batch": (
        mapped(BatchSize=11),
        INVALID,
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
    ),
    "mapping, no queue": (
        mapped(EventSourceArn="arn:aws:sqs:us-east-1:000000000000:none"),
        INVALID,
        (
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist."
        ),
    ),
    "mapping, no filter": (
        mapped(FilterCriteria={"Filters": [{"Pattern": "{"}]}),
        INVALID,
        "Invalid filter pattern definition.",
    ),
    "versions of what": (
        lambda w: (w.functions.list_functions, {"FunctionVersion": "invalid"}),
        "ValidationException",
        f"{ONE}Value 'invalid' at 'functionVersion' {SET}ALL]",
    ),
    "layer, no version": (
        layered(f"{LAYER}x"),
        "ValidationException",
        f"{ONE}Value '[{LAYER}x]' at 'layers' failed to satisfy constraint: Membe",
    ),
    "layer, not there": (
        layered(f"{LAYER}doesnotexist:1"),
        INVALID,
        f"Layer version {LAYER}doesnotexist:1 does not exist.",
    ),
    "layers, six": (
        layered(*(f"{LAYER}l{n}:1" for n in range(6))),
        INVALID,
        "Cannot reference more than 5 layers.",
    ),
    "layer version 0": (
        lambda w: (w.functions.delete_layer_version, {"LayerName": "l", "VersionNumber": 0}),
        INVALID,
        "Layer Version Cannot be less than 1",
    ),
    "layers, of what": (
        lambda w: (w.functions.list_layers, {"CompatibleArchitecture": "archdoesnotexist"}),
        "ValidationException",
        f"{ONE}Value 'archdoesnotexist' at 'compatibleArchitecture' {SET}x86_64, arm64]",
    ),
    "tags of none": (
        lambda w: (w.functions.list_tags, {"Resource": f"{F}none"}),
        NONE,
        f"Function not found: {F}none",
    ),
    "tags of a version": (
        lambda w: (w.functions.list_tags, {"Resource": f"{w.function()}:1"}),
        INVALID,
        "Tags on function aliases and versions are not supported. Please specify a function ARN.",
    ),
    "tags, too many": (
        lambda w: (
            w.functions.tag_resource,
            {"Resource": w.function(), "Tags": {f"k{n}": "v" for n in range(51)}},
        ),
        INVALID,
        "Number of tags exceeds resource tag limit.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_as_by_aws(world: World, name: str) -> None:
    """Code, text and status are AWS's."""
    ask, code, text = CASES[name]
    assert as_far_as(text, world.refusal(ask)) == Refusal(code, text, STATUS.get(code, 400))
