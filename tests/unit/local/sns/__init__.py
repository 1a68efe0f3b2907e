"""SNS on disk."""
