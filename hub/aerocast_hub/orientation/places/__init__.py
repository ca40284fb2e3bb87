"""The places of an airport and the ways between them: read from files, checked, kept, versioned."""
