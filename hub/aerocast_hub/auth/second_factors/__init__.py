"""Second factors: codes of an authenticator app, passkeys, and codes on paper for bad days."""
