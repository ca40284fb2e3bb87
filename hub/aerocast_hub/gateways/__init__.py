"""The gateways: who may speak, who is there, how they are, what was lost."""
