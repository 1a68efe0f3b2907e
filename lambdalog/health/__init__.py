"""How functions fare: invocations, errors, durations, cold starts, memory and cost, per function and version. Pure."""

from lambdalog.health.book import Book, Health
from lambdalog.health.prices import Prices, cost
from lambdalog.health.sketch import Sketch

__all__ = ["Book", "Health", "Prices", "Sketch", "cost"]
