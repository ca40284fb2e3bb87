"""Sessions: what a login begins, kept going by refresh tokens, ended by anybody entitled to."""
