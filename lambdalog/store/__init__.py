"""Files on disk: the log store and the tables. Knows no AWS operation."""

from lambdalog.store.catalog import GroupInfo
from lambdalog.store.event import Damage, Event, Extent, Position, Scan, Stretch
from lambdalog.store.logs import LogStore, StreamInfo

__all__ = ["Damage", "Event", "Extent", "GroupInfo", "LogStore", "Position", "Scan", "StreamInfo", "Stretch"]
