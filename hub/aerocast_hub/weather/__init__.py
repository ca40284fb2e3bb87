"""Weather: airport reports, the wind aircraft fly in, and what both mean for the ramp."""
