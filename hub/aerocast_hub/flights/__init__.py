"""Flights: the schedule, the stands, and what the aircraft really did."""
