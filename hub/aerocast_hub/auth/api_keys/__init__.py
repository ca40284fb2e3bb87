"""API keys: how programs come in, each with a part of what its owner may do."""
