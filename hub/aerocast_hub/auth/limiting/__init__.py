"""How often somebody may try a secret, counted by account and by client."""
