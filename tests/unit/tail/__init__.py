"""Many groups as one stream."""
