"""CloudWatch Logs, as boto3's client has it, on a `LogStore`."""

from lambdalog.local.logs.service import Logs

__all__ = ["Logs"]
