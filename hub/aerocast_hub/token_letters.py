"""Signed bytes as letters that may stand in an address or a header (base64url), one way. Pure."""

import base64
import binascii


def letters_of(signed: bytes) -> str:
    """Write bytes as a token."""
    return base64.urlsafe_b64encode(signed).decode()


def bytes_in(token: str) -> bytes | None:
    """Give what a token is written from; None where it is spelt otherwise than we would."""
    try:
        signed = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return signed if letters_of(signed) == token else None  # it is read from other letters too
