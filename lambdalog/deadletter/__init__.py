"""A failure becomes the message that Lambda would send, in the queue or topic where Lambda would send it."""

from lambdalog.deadletter.letters import DeadLetter, DeadLetters, destination_record, message_attributes

__all__ = ["DeadLetter", "DeadLetters", "destination_record", "message_attributes"]
