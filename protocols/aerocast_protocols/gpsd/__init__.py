"""gpsd, the daemon that looks after GNSS receivers: its JSON protocol on TCP port 2947."""
