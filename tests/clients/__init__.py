"""Clients that other people wrote, each as its users have it, against a served store."""
