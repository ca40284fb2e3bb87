"""How batches become stored observations: once only, in one transaction, then acknowledged."""
