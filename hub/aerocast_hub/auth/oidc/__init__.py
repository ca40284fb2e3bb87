"""Logging in at an identity provider of the airport's own (OpenID Connect Core 1.0)."""
