"""What happened, for everyone who wants to know: frozen, past tense, one line in the outbox each.

A feature that needs another's news reads it here and never reaches into the other's tables.
`aerocast_hub.events.every` has them all.
"""
