"""Committed events to whoever looks at a page or follows the hub."""
