"""The secret part of a passenger's link: signed, dated, and without a name or plate in it. Pure.

It names a link the hub keeps (`aerocast_hub.orientation.passenger_links`), so that a link can be
revoked; what is forged or too old is refused before the database is asked.
"""

import base64
import hashlib
import hmac
import struct
from typing import NamedTuple

from aerocast_hub.token_letters import bytes_in, letters_of

_VERSION = 2
_LAYOUT = struct.Struct(">B9sI")  # version, link, UTC seconds until which it opens
_MAC_BYTES = 16
ID_BYTES = 9
TOKEN_LETTERS = 40  # of base64url, for 30 bytes: nothing to pad, so a token has one spelling


class Named(NamedTuple):
    """Which link a token names, and until when it opens (UTC seconds)."""

    link_id: str
    expires_at_s: int


def link_key(signing_key: str) -> bytes:
    """Derive the key of passengers' links from the hub's, so that no token is good for both."""
    return hmac.digest(signing_key.encode(), b"aerocast passenger link 2", hashlib.sha256)


def new_link_id(random_bytes: bytes) -> str:
    """Write the id of a new link, of nine random bytes.

    It begins with a letter: a command would take one that begins with ``-`` for an option.
    """
    return letters_of(bytes([random_bytes[0] & 0x7F]) + random_bytes[1:])


def make_token(key: bytes, link_id: str, expires_at_s: int) -> str:
    """Make the part of a link's address that opens it until ``expires_at_s`` (UTC)."""
    content = _LAYOUT.pack(_VERSION, base64.urlsafe_b64decode(link_id), expires_at_s)
    return letters_of(content + _mac(key, content))


def read_token(key: bytes, token: str, now_s: int) -> Named | None:
    """Say which link a token names; None when it is not ours, was changed or has expired."""
    if len(token) != TOKEN_LETTERS or not token.isascii():
        return None
    signed = bytes_in(token)
    if signed is None:
        return None
    content, mac = signed[: _LAYOUT.size], signed[_LAYOUT.size :]
    if len(content) != _LAYOUT.size or not hmac.compare_digest(mac, _mac(key, content)):
        return None
    version, link, expires_at_s = _LAYOUT.unpack(content)
    if version != _VERSION or now_s >= expires_at_s:
        return None
    return Named(letters_of(link), expires_at_s)


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, hashlib.sha256)[:_MAC_BYTES]
