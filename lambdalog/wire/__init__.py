"""HTTP to (service, operation, params) and back, from botocore's service models. Knows no service."""

from lambdalog.wire.exchange import Exchange, Request, Response

__all__ = ["Exchange", "Request", "Response"]
