"""The dashboard, driven by its pilot."""
