"""One body of tests, run against several backends."""
