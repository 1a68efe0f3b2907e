"""CloudWatch Logs' contract, on every backend."""
