"""Log events from here to CloudWatch Logs, on disk or on AWS: batched as PutLogEvents takes them, each accounted for."""

from lambdalog.shipper.ledger import Ledger
from lambdalog.shipper.shipper import Shipper

__all__ = ["Ledger", "Shipper"]
