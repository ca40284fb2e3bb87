"""Links that open a passenger's own page: signed, dated, and without a name or plate in them."""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable
from uuid import UUID

_VERSION = 1
_LAYOUT = struct.Struct(">B16sQ")  # version, passenger, UTC seconds until which it opens
_MAC_BYTES = 16
_LONGEST = 80
VALID_S = 3 * 24 * 3600


def link_key(signing_key: str) -> bytes:
    """Derive the key of passengers' links from the hub's, so that no token is good for both."""
    return hmac.digest(signing_key.encode(), b"aerocast passenger link 1", hashlib.sha256)


def make_token(key: bytes, passenger: UUID, expires_at_s: int) -> str:
    """Make the part of a link that opens ``passenger``'s page until ``expires_at_s`` (UTC)."""
    content = _LAYOUT.pack(_VERSION, passenger.bytes, expires_at_s)
    return _as_text(content + _mac(key, content))


def read_token(key: bytes, token: str, now_s: int) -> UUID | None:
    """Say whose page a token opens; None when it is not ours, was changed or has expired."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    try:
        signed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if _as_text(signed) != token:
        return None  # base64's last letter has spare bits: one link has one spelling
    content, mac = signed[: _LAYOUT.size], signed[_LAYOUT.size :]
    if len(content) != _LAYOUT.size or not hmac.compare_digest(mac, _mac(key, content)):
        return None
    version, passenger, expires_at_s = _LAYOUT.unpack(content)
    if version != _VERSION or now_s >= expires_at_s:
        return None
    return UUID(bytes=passenger)


def _as_text(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, hashlib.sha256)[:_MAC_BYTES]


class Links:
    """Makes and reads passengers' links; the key is fetched when it is first needed.

    Parameters
    ----------
    signing_key
        Gives the hub's secret key.
    """

    def __init__(self, signing_key: Callable[[], str]) -> None:
        self._signing_key = signing_key
        self._key: bytes | None = None

    def make(self, passenger_id: str, now_s: int) -> str:
        """Make a link's token for a passenger; it opens for three days."""
        return make_token(self._own_key(), UUID(passenger_id), now_s + VALID_S)

    def passenger(self, token: str, now_s: int) -> str | None:
        """Say whose page a token opens; None when it opens nothing."""
        found = read_token(self._own_key(), token, now_s)
        return None if found is None else str(found)

    def _own_key(self) -> bytes:
        if self._key is None:
            self._key = link_key(self._signing_key())
        return self._key
