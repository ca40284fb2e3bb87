"""Alerts: what somebody must look at; raised, acknowledged and cleared, with reason and history."""
