"""The tests, laid out as the modules are."""
