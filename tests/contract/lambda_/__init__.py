"""Lambda's contract, on every backend."""
