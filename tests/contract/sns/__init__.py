"""SNS's contract, on every backend."""
