"""The commands of `aerocast-hub`, one module each, imported when it runs."""
