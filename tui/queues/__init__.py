"""The screen of queues and topics."""
