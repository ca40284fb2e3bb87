"""The hub's work in numbers."""
