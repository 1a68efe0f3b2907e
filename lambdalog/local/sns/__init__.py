"""SNS, as boto3's client has it: topics that deliver to queues."""

from lambdalog.local.sns.service import Sns

__all__ = ["Sns"]
