"""The endpoint: HTTP, signatures, who may come in, and what runs beside it."""
