"""Log events from here to CloudWatch Logs, on disk or on AWS: batched as PutLogEvents takes them, each accounted for."""

from lambdalog.shipper.ledger import Ledger
from lambdalog.shipper.logging_handler import CloudWatchLogFormatter, CloudWatchLogHandler
from lambdalog.shipper.shipper import Shipper
from lambdalog.shipper.spool import Spool

__all__ = ["CloudWatchLogFormatter", "CloudWatchLogHandler", "Ledger", "Shipper", "Spool"]
