"""How functions fare: invocations, errors, durations, cold starts, memory and cost, per function and version. Pure."""

from lambdalog.health.book import Book, Health, Who
from lambdalog.health.sketch import Sketch
from lambdalog.prices import Prices, cost

__all__ = ["Book", "Health", "Prices", "Sketch", "Who", "cost"]
