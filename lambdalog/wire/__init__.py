"""HTTP to (service, operation, params) and back, from botocore's service models. Knows no service."""

from lambdalog.wire.exchange import Exchange
from lambdalog.wire.messages import Malformed, Request, Response

__all__ = ["Exchange", "Malformed", "Request", "Response"]
