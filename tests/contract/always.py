"""What AWS's responses always hold, operation by operation: clients read these without asking whether they are there.

Paths are those of the response, as boto3 gives it; `[]` is each item of a list. The last name of a path must be there
wherever what is before it is: `events[].message` says nothing of whether there are events. From the API references ("this
is always present") and from responses recorded of AWS. An operation with nothing to tell stands here too, with no path,
so that none is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GROUP: Final = "logGroupName creationTime metricFilterCount arn logGroupArn logGroupClass"
_CONFIGURATION: Final = (
    "FunctionName FunctionArn Runtime Role Handler CodeSize Description Timeout MemorySize LastModified CodeSha256 Version "
    "TracingConfig.Mode RevisionId PackageType Architectures EphemeralStorage.Size SnapStart.ApplyOn "
    "SnapStart.OptimizationStatus LoggingConfig.LogFormat LoggingConfig.LogGroup"
)
_STATE: Final = "State LastUpdateStatus"
_ALIAS: Final = "AliasArn Name FunctionVersion Description RevisionId"
_MAPPING: Final = "UUID BatchSize EventSourceArn FunctionArn LastModified State StateTransitionReason"
_EVENTS: Final = "LastModified FunctionArn DestinationConfig.OnSuccess DestinationConfig.OnFailure"
_LAYER: Final = "LayerVersionArn Version CreatedDate"
_BATCH_FAILED: Final = "Failed[].Id Failed[].SenderFault Failed[].Code"


def _each(of: str, names: str) -> str:
    """A list (or structure) and what each of its items has."""
    dot = "" if of.endswith(".") else "[]."
    return f"{of.removesuffix('.')} " + " ".join(
        f"{of.removesuffix('.')}{dot or '.'}{name}" for name in names.split()
    )


ALWAYS: Final[dict[str, dict[str, str]]] = {
    "logs": {
        # Without storedBytes and deletionProtectionEnabled where a pattern of names is asked for.
        "DescribeLogGroups": _each("logGroups", _GROUP),
        "DescribeLogStreams": _each("logStreams", "logStreamName creationTime arn storedBytes"),
        "DescribeMetricFilters": _each(
            "metricFilters", "filterName filterPattern metricTransformations creationTime logGroupName"
        )
        + " metricFilters[].metricTransformations[].metricName"
        " metricFilters[].metricTransformations[].metricNamespace"
        " metricFilters[].metricTransformations[].metricValue",
        "DescribeQueries": _each("queries", "queryId queryString status createTime"),
        "DescribeQueryDefinitions": _each(
            "queryDefinitions", "queryDefinitionId name queryString lastModified"
        ),
        "DescribeResourcePolicies": _each("resourcePolicies", "policyName policyDocument lastUpdatedTime"),
        "DescribeSubscriptionFilters": _each(
            "subscriptionFilters",
            "filterName logGroupName filterPattern destinationArn distribution creationTime",
        ),
        "DeleteQueryDefinition": "success",
        "FilterLogEvents": "searchedLogStreams "
        + _each("events", "logStreamName timestamp message ingestionTime eventId"),
        "GetLogEvents": "nextForwardToken nextBackwardToken "
        + _each("events", "timestamp message ingestionTime"),
        "GetLogGroupFields": _each("logGroupFields", "name percent"),
        "GetLogRecord": "logRecord",
        "GetQueryResults": "results status statistics.recordsMatched statistics.recordsScanned statistics.bytesScanned "
        "results[][].field results[][].value",
        "ListLogGroups": _each("logGroups", "logGroupName logGroupArn logGroupClass"),
        "ListTagsForResource": "tags",
        "ListTagsLogGroup": "tags",
        "PutLogEvents": "nextSequenceToken",
        "PutQueryDefinition": "queryDefinitionId",
        "PutResourcePolicy": "resourcePolicy.policyName resourcePolicy.policyDocument resourcePolicy.lastUpdatedTime",
        "StartLiveTail": "responseStream",
        "StartQuery": "queryId",
        "StopQuery": "success",
        "TestMetricFilter": _each("matches", "eventNumber eventMessage extractedValues"),
    },
    "sqs": {
        "CancelMessageMoveTask": "ApproximateNumberOfMessagesMoved",
        "ChangeMessageVisibilityBatch": f"{_each('Successful', 'Id')} Failed {_BATCH_FAILED}",
        "CreateQueue": "QueueUrl",
        "DeleteMessageBatch": f"{_each('Successful', 'Id')} {_BATCH_FAILED}",
        "GetQueueAttributes": "",
        "GetQueueUrl": "QueueUrl",
        "ListDeadLetterSourceQueues": "queueUrls",
        "ListMessageMoveTasks": _each(
            "Results", "Status SourceArn ApproximateNumberOfMessagesMoved StartedTimestamp"
        ),
        "ListQueueTags": "",
        "ListQueues": "",
        "ReceiveMessage": "Messages[].MessageId Messages[].ReceiptHandle Messages[].MD5OfBody Messages[].Body",
        "SendMessage": "MessageId MD5OfMessageBody",
        "SendMessageBatch": f"{_each('Successful', 'Id MessageId MD5OfMessageBody')} {_BATCH_FAILED}",
        "StartMessageMoveTask": "TaskHandle",
    },
    "sns": {
        "ConfirmSubscription": "SubscriptionArn",
        "CreateTopic": "TopicArn",
        "GetDataProtectionPolicy": "DataProtectionPolicy",
        "GetSubscriptionAttributes": _each(
            "Attributes.",
            "SubscriptionArn TopicArn Owner Protocol Endpoint ConfirmationWasAuthenticated PendingConfirmation "
            "RawMessageDelivery SubscriptionPrincipal",
        ),
        "GetTopicAttributes": _each(
            "Attributes.",
            "TopicArn Owner Policy DisplayName EffectiveDeliveryPolicy SubscriptionsConfirmed SubscriptionsPending "
            "SubscriptionsDeleted",
        ),
        "ListSubscriptions": _each("Subscriptions", "SubscriptionArn Owner Protocol Endpoint TopicArn"),
        "ListSubscriptionsByTopic": _each(
            "Subscriptions", "SubscriptionArn Owner Protocol Endpoint TopicArn"
        ),
        "ListTagsForResource": _each("Tags", "Key Value"),
        "ListTopics": _each("Topics", "TopicArn"),
        "Publish": "MessageId",
        "PublishBatch": f"{_each('Successful', 'Id MessageId')} Failed {_BATCH_FAILED}",
        "SetSubscriptionAttributes": "",
        "Subscribe": "SubscriptionArn",
        "TagResource": "",
        "UntagResource": "",
    },
    "lambda": {
        "AddPermission": "Statement",
        "CreateAlias": _ALIAS,
        "CreateEventSourceMapping": _MAPPING,
        "CreateFunction": f"{_CONFIGURATION} State",
        "DeleteEventSourceMapping": _MAPPING,
        "DeleteFunction": "StatusCode",
        "GetAccountSettings": "AccountLimit.TotalCodeSize AccountLimit.CodeSizeUnzipped AccountLimit.CodeSizeZipped "
        "AccountLimit.ConcurrentExecutions AccountLimit.UnreservedConcurrentExecutions AccountUsage.TotalCodeSize "
        "AccountUsage.FunctionCount",
        "GetAlias": _ALIAS,
        "GetEventSourceMapping": _MAPPING,
        "GetFunction": _each("Configuration.", f"{_CONFIGURATION} {_STATE}")
        + " Code.RepositoryType Code.Location",
        "GetFunctionConcurrency": "",
        "GetFunctionConfiguration": f"{_CONFIGURATION} {_STATE}",
        "GetFunctionEventInvokeConfig": _EVENTS,
        "GetFunctionRecursionConfig": "RecursiveLoop",
        "GetLayerVersion": f"{_LAYER} LayerArn Description Content.Location Content.CodeSha256 Content.CodeSize",
        "GetLayerVersionByArn": f"{_LAYER} LayerArn Description Content.Location Content.CodeSha256 Content.CodeSize",
        "GetPolicy": "Policy RevisionId",
        "Invoke": "StatusCode Payload",
        "InvokeWithResponseStream": "StatusCode EventStream",
        "ListAliases": _each("Aliases", _ALIAS),
        "ListEventSourceMappings": _each("EventSourceMappings", _MAPPING),
        "ListFunctionEventInvokeConfigs": _each("FunctionEventInvokeConfigs", _EVENTS),
        "ListFunctions": _each("Functions", _CONFIGURATION),
        "ListLayerVersions": _each("LayerVersions", _LAYER),
        "ListLayers": _each("Layers", "LayerName LayerArn LatestMatchingVersion.LayerVersionArn"),
        "ListTags": "Tags",
        "ListVersionsByFunction": _each("Versions", _CONFIGURATION),
        "PublishLayerVersion": f"{_LAYER} LayerArn Description Content.Location Content.CodeSha256 Content.CodeSize",
        "PublishVersion": f"{_CONFIGURATION} {_STATE}",
        "PutFunctionConcurrency": "ReservedConcurrentExecutions",
        "PutFunctionEventInvokeConfig": _EVENTS,
        "PutFunctionRecursionConfig": "RecursiveLoop",
        "UpdateAlias": _ALIAS,
        "UpdateEventSourceMapping": _MAPPING,
        "UpdateFunctionCode": f"{_CONFIGURATION} {_STATE}",
        "UpdateFunctionConfiguration": f"{_CONFIGURATION} {_STATE}",
        "UpdateFunctionEventInvokeConfig": _EVENTS,
    },
    "sts": {"GetCallerIdentity": "UserId Account Arn"},
}

# What moto, the peer, leaves out of its own answers. Ours are held to the whole list.
_LOGGING: Final = "RevisionId LoggingConfig.LogFormat LoggingConfig.LogGroup"
MOTO_LACKS: Final[dict[str, str]] = {
    "logs DescribeLogGroups": "logGroups[].logGroupClass",
    "sns GetSubscriptionAttributes": "Attributes.SubscriptionPrincipal",
    **{
        f"lambda {operation}": f"{_LOGGING} LastUpdateStatus"
        for operation in (
            "CreateFunction",
            "GetFunctionConfiguration",
            "PublishVersion",
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
        )
    },
    "lambda PublishLayerVersion": "Description",
    "lambda PutFunctionEventInvokeConfig": "DestinationConfig.OnSuccess DestinationConfig.OnFailure",
    "lambda GetFunctionEventInvokeConfig": "DestinationConfig.OnSuccess DestinationConfig.OnFailure",
    "lambda GetFunction": " ".join(f"Configuration.{path}" for path in _LOGGING.split()),
    "lambda ListFunctions": " ".join(f"Functions[].{path}" for path in _LOGGING.split()),
    "lambda ListVersionsByFunction": " ".join(f"Versions[].{path}" for path in _LOGGING.split()),
}


def missing(value: Mapping[str, Any], paths: str) -> list[str]:
    """Those paths whose last name is not there, though what holds it is."""
    return [path for path in paths.split() if not _there(value, path)]


def _there(value: Any, path: str) -> bool:
    head, _, rest = path.partition(".")
    name = head.rstrip("[]")
    lists = head.count("[]")
    if not isinstance(value, dict) or name not in value:
        # What isn't there has no members; whether it must be there, its own path says, or its being a bare structure.
        return bool(rest) and lists > 0
    return not rest or all(_there(item, rest) for item in _items(value[name], lists))


def _items(value: Any, lists: int) -> Iterator[Any]:
    if not lists:
        yield value
        return
    for item in value:
        yield from _items(item, lists - 1)
