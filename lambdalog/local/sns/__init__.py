"""SNS, as boto3's client has it: topics, and what is subscribed to them."""

from lambdalog.local.sns.service import Sns

__all__ = ["Sns"]
