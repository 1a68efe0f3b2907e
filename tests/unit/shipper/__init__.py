"""The shipper."""
