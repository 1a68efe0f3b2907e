"""The wire floor, over real sockets and by property."""
