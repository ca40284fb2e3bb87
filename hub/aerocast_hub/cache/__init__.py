"""Answers kept for a while: in memory, and among several hubs in Redis."""
