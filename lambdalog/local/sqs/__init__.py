"""SQS, as boto3's client has it, on SQLite."""

from lambdalog.local.sqs.service import Sqs

__all__ = ["Sqs"]
