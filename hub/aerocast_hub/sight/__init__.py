"""Whose rows somebody sees: those of some airlines, of some airports, or all of them."""
