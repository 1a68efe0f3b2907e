"""What is asked of logs: filter patterns."""
