"""Readers of event sources: what event source mappings are made of while a store is served."""
