"""SQS's contract, on every backend."""
