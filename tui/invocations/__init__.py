"""The invocations screen."""
