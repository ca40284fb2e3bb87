"""Committed events on their way to whoever listens."""
