"""Webhooks: what happens, pushed to others' servers; signed, tried again, and never inwards."""
