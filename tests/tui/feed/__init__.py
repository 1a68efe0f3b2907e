"""What the dashboard reads, on a real store."""
