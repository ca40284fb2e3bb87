"""Gateways prove who they are: claims, certificates, revocation, and what brokers ask."""
