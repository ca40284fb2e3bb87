"""Whom the hub believes when it asks others over TLS."""

import ssl
from functools import cache

import httpx


@cache
def believed() -> ssl.SSLContext:
    """Give what checks certificates: the usual authorities, or those ``SSL_CERT_FILE`` names.

    Reading them takes 30 ms of processor time: it is done once a process, for all clients.
    """
    return httpx.create_ssl_context()
