"""Aviation weather reports, and the files they are published in."""
