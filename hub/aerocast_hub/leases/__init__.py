"""Work that exactly one of several hubs does at a time."""
