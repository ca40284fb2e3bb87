"""Observations from partners' systems over HTTP: the same inbox, by the same numbers."""
