"""What failed, and trying it again: the inbox of dead letters, and replay with a journal."""

from lambdalog.failures.inbox import Group, Inbox
from lambdalog.failures.letter import Letter

__all__ = ["Group", "Inbox", "Letter"]
