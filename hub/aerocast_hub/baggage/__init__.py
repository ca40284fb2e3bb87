"""Bags: which there are, where they have been, and what was seen without a name."""
