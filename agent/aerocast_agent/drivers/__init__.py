"""One file per kind of device; drivers do not know each other."""
