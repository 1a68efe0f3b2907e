"""SQS on disk."""
