"""The gateway beside a baggage belt: reads its devices, loses nothing, syncs to the hub."""

VERSION = "0.1.0"
