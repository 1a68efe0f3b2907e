"""What failed, and what to do about it: the inbox of dead letters, replay with a journal, discards, export and import.

`Desk` has it all; the other names are what it takes and gives.
"""

from lambdalog.failures.desk import Desk
from lambdalog.failures.edit import Refused, Setting
from lambdalog.failures.groups import Explained, Group, sparkline
from lambdalog.failures.inbox import Detail, Inbox
from lambdalog.failures.journal import Item, Run
from lambdalog.failures.letter import Letter
from lambdalog.failures.pace import Pace
from lambdalog.failures.plan import Destination, Plan
from lambdalog.failures.replay import Result, Step
from lambdalog.failures.where import Where, where

__all__ = [
    "Desk",
    "Destination",
    "Detail",
    "Explained",
    "Group",
    "Inbox",
    "Item",
    "Letter",
    "Pace",
    "Plan",
    "Refused",
    "Result",
    "Run",
    "Setting",
    "Step",
    "Where",
    "sparkline",
    "where",
]
