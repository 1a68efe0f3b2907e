"""A project's folder as a function of the store, made or brought up to date; with its dead-letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdalog.local.lambda_.code import LOCAL_FOLDER
from lambdalog.local.lambda_.service import ROLE

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from lambdalog.local.lambda_.service import Lambda
    from lambdalog.runtime.project import Project


def deploy(client: Lambda, sqs: SQSClient, project: Project) -> str:
    """Make the function, or change what differs; its name. Deploying the same twice changes nothing."""
    arn = queue_arn(sqs, project.dead_letter_queue)
    settings: dict[str, Any] = {
        "Handler": project.handler,
        "Timeout": project.timeout,
        "MemorySize": project.memory,
        "Environment": {"Variables": project.environment},
        "DeadLetterConfig": {"TargetArn": arn},
    }
    if project.runtime is not None:
        settings["Runtime"] = project.runtime
    code: dict[str, Any] = {"S3Bucket": LOCAL_FOLDER, "S3Key": str(project.folder)}
    try:
        found = client.get_function(FunctionName=project.name)
    except client.exceptions.ResourceNotFoundException:
        client.create_function(FunctionName=project.name, Role=ROLE, Code=code, **settings)
    else:
        if found["Code"]["Location"] != f"file://{project.folder}":
            client.update_function_code(FunctionName=project.name, **code)
        config = found["Configuration"]
        changed = {key: value for key, value in settings.items() if config.get(key) != value}
        if changed:
            client.update_function_configuration(FunctionName=project.name, **changed)
    configure(client, project.name, project)
    return project.name


def queue_arn(sqs: SQSClient, name: str) -> str:
    """The ARN of a queue, which is made if it isn't there."""
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def configure(client: Any, name: str, project: Project) -> None:
    """Set what operations of their own set of a function: reserved concurrency, retries and age of its events."""
    if project.concurrency is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=project.concurrency)
    events: dict[str, Any] = {}
    if project.retries is not None:
        events["MaximumRetryAttempts"] = project.retries
    if project.max_age is not None:
        events["MaximumEventAgeInSeconds"] = project.max_age
    if events:
        client.put_function_event_invoke_config(FunctionName=name, **events)
