"""The failures pane: dead letters grouped by fingerprint."""
