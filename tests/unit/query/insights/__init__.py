"""The language of Insights."""
