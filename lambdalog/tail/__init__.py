"""Many groups as one stream of lines: merged by time, read backwards, followed. The same on disk and on AWS."""

from lambdalog.tail.line import Line
from lambdalog.tail.open import open_source
from lambdalog.tail.source import Following, Source

__all__ = ["Following", "Line", "Source", "open_source"]
