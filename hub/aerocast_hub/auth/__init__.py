"""Who may do what: users, roles, passwords, tokens, and the guard that asks for them."""
