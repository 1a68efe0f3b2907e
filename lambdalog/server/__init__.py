"""The store as AWS endpoints: HTTP in front of the wire protocols, who may come in, and what runs beside it."""
