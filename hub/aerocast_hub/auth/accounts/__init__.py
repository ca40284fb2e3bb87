"""Accounts: who there is, looked after by administrators and by their owners."""
