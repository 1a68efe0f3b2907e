"""The screen of queues and topics, and its parts."""
