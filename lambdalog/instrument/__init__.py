"""What runs inside a function: the decorator and the logger. Imported by every cold start, so it stays small."""

from lambdalog.instrument.decorator import handler
from lambdalog.instrument.logger import get_logger

__all__ = ["get_logger", "handler"]
