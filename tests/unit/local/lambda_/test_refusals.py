"""What Lambda refuses, and how it says so: codes, texts and statuses as AWS was recorded to give them."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.local.lambda_.configuration import RUNTIMES
from tests.functions import zipped
from tests.refusals import refused
from tests.unit.local.lambda_.conftest import ARN, ROLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.cloud import Cloud

NAMESPACED = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
FUNCTION = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
QUALIFIER = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
LAYER = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:"
    r"[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"
)
BASE = "arn:aws:lambda:us-east-1:000000000000"
MISMATCH = "The derived qualifier from the function name does not match the specified qualifier."
REVISION = "The Revision Id provided does not match the latest Revision Id. Call the {} API to retrieve the latest Revision Id"
ENUM = f"Member must satisfy enum value set: [{', '.join(RUNTIMES)}] or be a valid ARN"
PERMIT = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
GONE = "The resource you requested does not exist."


def constraint(value: str, where: str, what: str) -> str:
    """The text of one broken constraint."""
    return f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: {what}"


def pattern(value: str, where: str, expression: str) -> str:
    """The text of a value that is not of its pattern."""
    return constraint(value, where, f"Member must satisfy regular expression pattern: {expression}")


@pytest.fixture
def ready(client: Any) -> Any:
    """`f` with versions 1 and 2 and an alias `live`; `g` beside it."""
    client.create_function(
        FunctionName="g",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zipped(app="def handler(e, c): pass")},
    )
    client.publish_version(FunctionName="f")
    client.update_function_configuration(FunctionName="f", Description="second")
    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    client.add_permission(FunctionName="f", **PERMIT | {"StatementId": "s3"})
    return client


CASES: list[tuple[str, dict[str, Any], str, str, int]] = [
    # names and qualifiers
    ("get_function", {"FunctionName": "none"}, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none", 404),
    ("invoke", {"FunctionName": "none"}, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none:$LATEST", 404),
    ("invoke", {"FunctionName": "f", "Qualifier": "no-alias"}, "ResourceNotFoundException", f"Function not found: {ARN}:no-alias", 404),
    ("invoke", {"FunctionName": f"{ARN}:$latest"}, "ValidationException", pattern(f"{ARN}:$latest", "functionName", NAMESPACED), 400),
    ("get_function", {"FunctionName": "f", "Qualifier": "1221"}, "ResourceNotFoundException", f"Function not found: {ARN}:1221", 404),
    ("get_function", {"FunctionName": "*"}, "ValidationException", pattern("*", "functionName", NAMESPACED), 400),
    ("get_function", {"FunctionName": f"{ARN}:1:2"}, "ValidationException", pattern(f"{ARN}:1:2", "functionName", NAMESPACED), 400),
    ("get_function", {"FunctionName": "f", "Qualifier": "invalid!"}, "ValidationException", pattern("invalid!", "qualifier", QUALIFIER), 400),
    ("get_function", {"FunctionName": "f", "Qualifier": "a" * 129}, "ValidationException", constraint("a" * 129, "qualifier", "Member must have length less than or equal to 128"), 400),
    ("get_function", {"FunctionName": f"{ARN}:$LATEST", "Qualifier": "1"}, "InvalidParameterValueException", MISMATCH, 400),
    ("get_function", {"FunctionName": ARN.replace("us-east-1", "eu-west-1")}, "ResourceNotFoundException", "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')", 404),
    ("invoke", {"FunctionName": f"{BASE}:function"}, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:function:$LATEST", 404),
    ("delete_function", {"FunctionName": "none", "Qualifier": "1"}, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none", 404),
    ("delete_function", {"FunctionName": "f", "Qualifier": "$LATEST"}, "InvalidParameterValueException", "$LATEST version cannot be deleted without deleting the function.", 400),
    ("delete_function", {"FunctionName": "f", "Qualifier": "live"}, "InvalidParameterValueException", "Deletion of aliases is not currently supported.", 400),
    ("delete_function", {"FunctionName": "f", "Qualifier": "1"}, "ResourceConflictException", "Unable to delete version because the following aliases reference it: [live]", 409),
    ("list_functions", {"FunctionVersion": "invalid"}, "ValidationException", constraint("invalid", "functionVersion", "Member must satisfy enum value set: [ALL]"), 400),
    # configuration
    ("create_function", {"FunctionName": "f", "Code": {"ZipFile": zipped(app="")}}, "ResourceConflictException", "Function already exist: f", 409),
    ("create_function", {"FunctionName": "a" * 65}, "InvalidParameterValueException", constraint("a" * 65, "functionName", "Member must have length less than or equal to 64"), 400),
    ("create_function", {"FunctionName": "*"}, "ValidationException", pattern("*", "functionName", FUNCTION), 400),
    ("create_function", {"FunctionName": f"f:{'a' * 139}"}, "ValidationException", constraint(f"f:{'a' * 139}", "functionName", "Member must have length less than or equal to 140"), 400),
    ("create_function", {"Role": "r1"}, "ValidationException", pattern("r1", "role", r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"), 400),
    ("create_function", {"Runtime": "non-existent-runtime"}, "InvalidParameterValueException", f"Value non-existent-runtime at 'runtime' failed to satisfy constraint: {ENUM}", 400),
    ("update_function_configuration", {"FunctionName": "f", "Runtime": "PYTHON3.9"}, "InvalidParameterValueException", f"Value PYTHON3.9 at 'runtime' failed to satisfy constraint: {ENUM}", 400),
    ("create_function", {"Runtime": "go1.x"}, "InvalidParameterValueException", "The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.", 400),
    ("create_function", {"Runtime": "java21"}, "InvalidParameterValueException", "Functions of runtime java21 can't be run here; there are python3.11 and newer, nodejs and provided.", 400),
    ("create_function", {"Runtime": "python3.99"}, "InvalidParameterValueException", "The interpreter of runtime python3.99 is not on this machine: no python3.99 on PATH.", 400),
    ("create_function", {"Architectures": ["x86_64", "arm64"]}, "ValidationException", constraint("[x86_64, arm64]", "architectures", "Member must have length less than or equal to 1"), 400),
    ("create_function", {"Architectures": ["X86_64"]}, "ValidationException", constraint("[X86_64]", "architectures", "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"), 400),
    ("create_function", {"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException", "Could not unzip uploaded file. Please check your file, then try to upload again.", 400),
    ("create_function", {"Code": {"ZipFile": b""}}, "InvalidParameterValueException", "Uploaded file must be a non-empty zip", 400),
    ("create_function", {"Code": {"S3Bucket": "some-bucket", "S3Key": "k"}}, "InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist (a folder of this machine is S3Bucket=local-folder, S3Key=/absolute/folder)", 400),
    ("create_function", {"Timeout": 901}, "ValidationException", constraint("901", "timeout", "Member must have value less than or equal to 900"), 400),
    ("create_function", {"MemorySize": 10_241}, "ValidationException", constraint("10241", "memorySize", "Member must have value less than or equal to 10240"), 400),
    ("create_function", {"EphemeralStorage": {"Size": 10_241}}, "ValidationException", constraint("10241", "ephemeralStorage.size", "Member must have value less than or equal to 10240"), 400),
    ("create_function", {"Environment": {"Variables": {"SMALL": "ok", "LARGE": "x" * 4096}}}, "InvalidParameterValueException", 'Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {"SMALL":"ok","LARGE":"' + "x" * 4096 + '"}', 400),
    ("create_function", {"Environment": {"Variables": {"1st": "secret"}}}, "ValidationException", constraint("{1st=***}", "environment.variables", "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"), 400),
    ("create_function", {"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION", 400),
    ("create_function", {"LoggingConfig": {"LogFormat": "Text", "SystemLogLevel": "INFO"}}, "InvalidParameterValueException", 'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "Json" and try again.', 400),
    ("create_function", {"Tags": {f"k{number}": "v" for number in range(51)}}, "InvalidParameterValueException", "Number of tags exceeds resource tag limit.", 400),
    ("update_function_configuration", {"FunctionName": "f", "RevisionId": "x"}, "PreconditionFailedException", REVISION.format("GetFunction/GetAlias"), 412),
    ("update_function_code", {"FunctionName": "f", "RevisionId": "x", "ZipFile": zipped(app="")}, "PreconditionFailedException", REVISION.format("GetFunction/GetAlias"), 412),
    ("update_function_configuration", {"FunctionName": "f:live", "Timeout": 4}, "InvalidParameterValueException", "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.", 400),
    # versions and aliases
    ("publish_version", {"FunctionName": "f", "RevisionId": "x"}, "PreconditionFailedException", REVISION.format("GetFunction/GetAlias"), 412),
    ("get_alias", {"FunctionName": "f", "Name": "none"}, "ResourceNotFoundException", f"Cannot find alias arn: {ARN}:none", 404),
    ("create_alias", {"FunctionName": "f", "Name": "live", "FunctionVersion": "1"}, "ResourceConflictException", f"Alias already exists: {ARN}:live", 409),
    ("create_alias", {"FunctionName": "none", "Name": "a", "FunctionVersion": "1"}, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none:1", 404),
    ("create_alias", {"FunctionName": "f", "Name": "a", "FunctionVersion": "10"}, "ResourceNotFoundException", f"Function not found: {ARN}:10", 404),
    ("create_alias", {"FunctionName": "f", "Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}, "InvalidParameterValueException", "Invalid function version 1. Function version 1 is already included in routing configuration.", 400),
    ("create_alias", {"FunctionName": "f", "Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 2.0}}}, "ValidationException", constraint("{2=2.0}", "routingConfig.additionalVersionWeights", "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"), 400),
    ("create_alias", {"FunctionName": "f", "Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}}, "ValidationException", constraint("{$LATEST=0.5}", "routingConfig.additionalVersionWeights", "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"), 400),
    ("create_alias", {"FunctionName": "f", "Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5, "3": 0.5}}}, "InvalidParameterValueException", "Number of items in AdditionalVersionWeights cannot be greater than 1", 400),
    ("create_alias", {"FunctionName": "f", "Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"10": 0.5}}}, "ResourceNotFoundException", f"Function not found: {ARN}:10", 404),
    ("create_alias", {"FunctionName": "f", "Name": "a", "FunctionVersion": "$LATEST", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}, "InvalidParameterValueException", "$LATEST is not supported for an alias pointing to more than 1 version", 400),
    ("create_alias", {"FunctionName": "f", "Name": "12", "FunctionVersion": "1"}, "ValidationException", pattern("12", "name", r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)"), 400),
    ("update_alias", {"FunctionName": "f", "Name": "live", "RevisionId": "x"}, "PreconditionFailedException", REVISION.format("GetFunction/GetAlias"), 412),
    # concurrency
    ("put_function_concurrency", {"FunctionName": "none", "ReservedConcurrentExecutions": 1}, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none:$LATEST", 404),
    ("put_function_concurrency", {"FunctionName": f"{ARN}:1", "ReservedConcurrentExecutions": 1}, "InvalidParameterValueException", "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.", 400),
    ("put_function_concurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 901}, "InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].", 400),
    # event-invoke configurations
    ("get_function_event_invoke_config", {"FunctionName": "none"}, "ResourceNotFoundException", "The function arn:aws:lambda:us-east-1:000000000000:function:none:$LATEST doesn't have an EventInvokeConfig", 404),
    ("delete_function_event_invoke_config", {"FunctionName": "f"}, "ResourceNotFoundException", f"The function {ARN}:$LATEST doesn't have an EventInvokeConfig", 404),
    ("update_function_event_invoke_config", {"FunctionName": "f", "MaximumRetryAttempts": 1, "Qualifier": "live"}, "ResourceNotFoundException", f"The function {ARN}:live doesn't have an EventInvokeConfig", 404),
    ("put_function_event_invoke_config", {"FunctionName": "none", "MaximumRetryAttempts": 1}, "ResourceNotFoundException", "The function doesn't exist.", 404),
    ("put_function_event_invoke_config", {"FunctionName": "f", "MaximumRetryAttempts": 1, "Qualifier": "none"}, "ResourceNotFoundException", "The function doesn't exist.", 404),
    ("list_function_event_invoke_configs", {"FunctionName": "none"}, "ResourceNotFoundException", "The function doesn't exist.", 404),
    ("put_function_event_invoke_config", {"FunctionName": "f"}, "InvalidParameterValueException", "You must specify at least one of error handling or destination setting.", 400),
    ("put_function_event_invoke_config", {"FunctionName": "f:live", "Qualifier": "1", "MaximumRetryAttempts": 1}, "InvalidParameterValueException", MISMATCH, 400),
    ("put_function_event_invoke_config", {"FunctionName": "f", "DestinationConfig": {"OnSuccess": {"Destination": ARN}}}, "InvalidParameterValueException", "You can't specify the function as a destination for itself.", 400),
    ("put_function_event_invoke_config", {"FunctionName": "f", "DestinationConfig": {"OnSuccess": {"Destination": f"{BASE}:function:none"}}}, "InvalidParameterValueException", "The destination ARN arn:aws:lambda:us-east-1:000000000000:function:none is invalid.", 400),
    ("put_function_event_invoke_config", {"FunctionName": "f", "DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:iam:us-east-1:000000000000:function:f"}}}, "InvalidParameterValueException", "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:iam:us-east-1:000000000000:function:f), onFailure=null) is invalid.", 400),
    # permissions
    ("add_permission", {"FunctionName": "none", **PERMIT}, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none", 404),
    ("add_permission", {"FunctionName": "f", "Qualifier": "42", **PERMIT}, "ResourceNotFoundException", f"Function not found: {ARN}:42", 404),
    ("add_permission", {"FunctionName": "f", "Qualifier": "no-alias", **PERMIT}, "ResourceNotFoundException", f"Cannot find alias arn: {ARN}:no-alias", 404),
    ("add_permission", {"FunctionName": "f", "Qualifier": "valid-with-$-but", **PERMIT}, "ResourceNotFoundException", f"Function not found: {ARN}:valid-with-$-but", 404),
    ("add_permission", {"FunctionName": "f", "Qualifier": "$LATEST", **PERMIT}, "InvalidParameterValueException", "We currently do not support adding policies for $LATEST.", 400),
    ("add_permission", {"FunctionName": "f", "Qualifier": "with-?", **PERMIT}, "ValidationException", pattern("with-?", "qualifier", QUALIFIER), 400),
    ("add_permission", {"FunctionName": "f:live", "Qualifier": "1", **PERMIT}, "InvalidParameterValueException", MISMATCH, 400),
    ("add_permission", {"FunctionName": "f", **PERMIT | {"Principal": "invalid.nonaws.com"}}, "InvalidParameterValueException", "The provided principal was invalid. Please check the principal and try again.", 400),
    ("add_permission", {"FunctionName": "f", **PERMIT | {"StatementId": "s3"}}, "ResourceConflictException", "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.", 409),
    ("add_permission", {"FunctionName": "f", **PERMIT | {"StatementId": "example.com"}}, "ValidationException", pattern("example.com", "statementId", "([a-zA-Z0-9-_]+)"), 400),
    ("add_permission", {"FunctionName": "f", "RevisionId": "x", **PERMIT}, "PreconditionFailedException", REVISION.format("GetFunction/GetAlias"), 412),
    ("add_permission", {"FunctionName": "f", "Qualifier": "live", "RevisionId": "x", **PERMIT}, "PreconditionFailedException", REVISION.format("GetPolicy"), 412),
    ("get_policy", {"FunctionName": "none"}, "ResourceNotFoundException", GONE, 404),
    ("get_policy", {"FunctionName": "g"}, "ResourceNotFoundException", GONE, 404),
    ("remove_permission", {"FunctionName": "none", "StatementId": "s"}, "ResourceNotFoundException", "No policy found for: arn:aws:lambda:us-east-1:000000000000:function:none", 404),
    ("remove_permission", {"FunctionName": "f", "StatementId": "s", "Qualifier": "no-alias"}, "ResourceNotFoundException", f"Cannot find alias arn: {ARN}:no-alias", 404),
    ("remove_permission", {"FunctionName": "g", "StatementId": "s"}, "ResourceNotFoundException", "No policy is associated with the given resource.", 404),
    ("remove_permission", {"FunctionName": "f", "StatementId": "none"}, "ResourceNotFoundException", "Statement none is not found in resource policy.", 404),
    # tags
    ("tag_resource", {"Resource": f"{ARN}:1", "Tags": {"a": "b"}}, "InvalidParameterValueException", "Tags on function aliases and versions are not supported. Please specify a function ARN.", 400),
    ("list_tags", {"Resource": f"{BASE}:function:n"}, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:n", 404),
    ("tag_resource", {"Resource": ARN, "Tags": {f"k{number}": "v" for number in range(51)}}, "InvalidParameterValueException", "Number of tags exceeds resource tag limit.", 400),
    ("list_tags", {"Resource": "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:4487a0ac-6c9a-4a0a-93e5-60e4fd2d3a40"}, "ResourceNotFoundException", "Event source mapping not found: arn:aws:lambda:us-east-1:000000000000:event-source-mapping:4487a0ac-6c9a-4a0a-93e5-60e4fd2d3a40", 404),
    # layers
    ("get_layer_version", {"LayerName": "l", "VersionNumber": 1}, "ResourceNotFoundException", GONE, 404),
    ("get_layer_version", {"LayerName": "l", "VersionNumber": 0}, "InvalidParameterValueException", "Layer Version Cannot be less than 1", 400),
    ("delete_layer_version", {"LayerName": "l", "VersionNumber": -1}, "InvalidParameterValueException", "Layer Version Cannot be less than 1", 400),
    ("update_function_configuration", {"FunctionName": "f", "Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:none:1"]}, "InvalidParameterValueException", "Layer version arn:aws:lambda:us-east-1:000000000000:layer:none:1 does not exist.", 400),
    ("update_function_configuration", {"FunctionName": "f", "Layers": ["arn:aws:lambda:eu-west-1:000000000000:layer:none:1"]}, "InvalidParameterValueException", "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.", 400),
    ("update_function_configuration", {"FunctionName": "f", "Layers": [f"arn:aws:lambda:us-east-1:000000000000:layer:l{number}:1" for number in range(6)]}, "InvalidParameterValueException", "Cannot reference more than 5 layers.", 400),
    ("update_function_configuration", {"FunctionName": "f", "Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:l"]}, "ValidationException", constraint("[arn:aws:lambda:us-east-1:000000000000:layer:l]", "layers", f"Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ({LAYER}), Member must not be null]"), 400),
    # event source mappings
    ("create_event_source_mapping", {"FunctionName": "f"}, "InvalidParameterValueException", "Unrecognized event source.", 400),
    ("create_event_source_mapping", {"FunctionName": "none", "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q"}, "InvalidParameterValueException", "Function does not exist", 400),
    ("create_event_source_mapping", {"FunctionName": "f", "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q"}, "InvalidParameterValueException", "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.", 400),
    ("create_event_source_mapping", {"FunctionName": "f", "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q", "BatchSize": 11}, "InvalidParameterValueException", "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10", 400),
    ("create_event_source_mapping", {"FunctionName": "f", "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q", "DestinationConfig": {"OnFailure": {"Destination": ARN}}}, "InvalidParameterValueException", "Unsupported DestinationConfig parameter for given event source mapping type.", 400),
    ("create_event_source_mapping", {"FunctionName": "f", "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q", "FilterCriteria": {"Filters": [{"Pattern": '{"eventSource": "aws:sqs"}'}]}}, "InvalidParameterValueException", "Invalid filter pattern definition.", 400),
    ("create_event_source_mapping", {"FunctionName": "f", "EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x"}, "InvalidParameterValueException", "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.", 400),
    ("create_event_source_mapping", {"FunctionName": "f", "EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x", "StartingPosition": "AT_TIMESTAMP"}, "InvalidParameterValueException", "Unsupported starting position for arn type: arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x", 400),
    ("create_event_source_mapping", {"FunctionName": "f", "EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x", "StartingPosition": "invalid"}, "ValidationException", constraint("invalid", "startingPosition", "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]"), 400),
    ("get_event_source_mapping", {"UUID": "4487a0ac-6c9a-4a0a-93e5-60e4fd2d3a40"}, "ResourceNotFoundException", GONE, 404),
    ("update_event_source_mapping", {"UUID": "4487a0ac-6c9a-4a0a-93e5-60e4fd2d3a40"}, "ResourceNotFoundException", GONE, 404),
    ("delete_event_source_mapping", {"UUID": "4487a0ac-6c9a-4a0a-93e5-60e4fd2d3a40"}, "ResourceNotFoundException", GONE, 404),
]  # fmt: skip


def test_lambda_refuses_in_its_own_words(ready: Any) -> None:
    """Each case: the code, the text to the letter and the status, and nothing has changed by it."""
    before = [
        ready.list_functions(FunctionVersion="ALL")["Functions"],
        ready.list_aliases(FunctionName="f")["Aliases"],
    ]
    wrong = []
    for operation, params, *expected in CASES:
        given = dict(params)
        if operation == "create_function":
            given = {
                "FunctionName": "n",
                "Role": ROLE,
                "Handler": "app.handler",
                "Code": {"ZipFile": zipped(app="x = 1")},
            } | given
        found = refused(getattr(ready, operation), **given)
        if found != tuple(expected):
            wrong.append((operation, str(params)[:200], found, tuple(expected)))
    assert wrong == []
    after = [
        ready.list_functions(FunctionVersion="ALL")["Functions"],
        ready.list_aliases(FunctionName="f")["Aliases"],
    ]
    assert before == after


def test_a_refusal_has_the_members_that_boto3_shows(client: Any) -> None:
    """Beside Error, the modelled members: the message once more, and whose fault it is."""
    with pytest.raises(client.exceptions.ResourceNotFoundException) as info:
        client.get_function(FunctionName="none")
    assert info.value.response["Type"] == "User"
    assert info.value.response["Message"] == info.value.response["Error"]["Message"]


def test_several_constraints_are_told_at_once(client: Any) -> None:
    """Two broken constraints, the qualifier's first."""
    code, text, _ = refused(client.get_function, FunctionName="*", Qualifier="!")
    assert code == "ValidationException"
    assert text.startswith("2 validation errors detected: Value '!' at 'qualifier'")
    assert "; Value '*' at 'functionName'" in text


def test_a_function_of_another_account_is_out_of_reach(client: Any) -> None:
    """An ARN with another account's number is denied, and says so."""
    code, text, status = refused(
        client.get_function, FunctionName=ARN.replace("000000000000", "123456789012")
    )
    assert (code, status) == ("AccessDeniedException", 403)
    assert "is not authorized to perform: lambda:GetFunction on resource: arn:aws:lambda:" in text


@pytest.mark.parametrize(
    ("name", "size"),
    [("/etc/passwd", 1), ("../out.py", 1), ("a\\..\\b.py", 1), ("app.py", 300 * 1024 * 1024)],
)
def test_a_dangerous_zip_changes_nothing(client: Any, store_path: Any, name: str, size: int) -> None:
    """Absolute paths, paths upward, backslashes and bombs are refused, and leave no file."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        for _ in range(max(1, size // (1 << 20))):
            member.write(bytes(min(size, 1 << 20)))
    code, text, _ = refused(
        client.create_function,
        FunctionName="z",
        Role=ROLE,
        Handler="a.b",
        Code={"ZipFile": buffer.getvalue()},
    )
    assert code == "InvalidParameterValueException"
    assert "leads out of the package" in text or text == "Unzipped size must be smaller than 262144000 bytes"
    assert not list((store_path / "code").glob("*"))


def test_the_limits_of_2018_are_a_profile(
    manual_cloud: Cloud, monkeypatch: pytest.MonkeyPatch, make: Callable[..., Any]
) -> None:
    """With LAMBDALOG_LIMITS=2018: 300 seconds, 3,008 MB in steps of 64, 512 MB of /tmp, 128 KB for an event."""
    monkeypatch.setenv("LAMBDALOG_LIMITS", "2018")
    client = manual_cloud.client("lambda")
    make("old", MemorySize=3008, Timeout=300)
    for setting in (
        {"Timeout": 301},
        {"MemorySize": 3072},
        {"MemorySize": 200},
        {"EphemeralStorage": {"Size": 513}},
    ):
        code, text, _ = refused(client.update_function_configuration, FunctionName="old", **setting)
        assert code == "ValidationException", text
    large = b'"' + b"x" * 131_072 + b'"'
    assert refused(client.invoke, FunctionName="old", InvocationType="Event", Payload=large)[2] == 413
