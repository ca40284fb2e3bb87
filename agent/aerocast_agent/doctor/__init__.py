"""Find out why a gateway does not do what it should: each check says what to do about it."""
