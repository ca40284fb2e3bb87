"""What a service shows when it asks another: who it is, for whom it asks, until when. Pure.

Services of one hub share its secret key; the token is signed with a key made of it (HMAC-SHA-256).
It carries whose rows may be seen, so that a question on behalf of somebody shows them no more than
they would see themselves.
"""

import hashlib
import hmac

import msgspec

from aerocast_hub.token_letters import bytes_in, letters_of

VALID_S = 60
AHEAD_S = 60
"""Machines' clocks differ."""
HEADER = "x-aerocast-service"
_LONGEST = 8192
_MAC_BYTES = 32


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks.

    Attributes
    ----------
    service
        Its name.
    expires_at_s
        UTC seconds.
    airlines, stations
        Whose rows may be seen; None: every one's.
    """

    service: str
    expires_at_s: int
    airlines: tuple[str, ...] | None = None
    stations: tuple[str, ...] | None = None


def asking_key(signing_key: str) -> bytes:
    """Derive the key of services' tokens from the hub's, so that no token is good for both."""
    return hmac.digest(signing_key.encode(), b"aerocast services 1", hashlib.sha256)


def make_token(key: bytes, asker: Asker) -> str:
    """Write a token."""
    content = msgspec.msgpack.encode(asker)
    return letters_of(hmac.digest(key, content, hashlib.sha256) + content)


def read_token(key: bytes, token: str, now_s: float) -> Asker | None:
    """Say who asks; None when the token is not ours, was changed, or is past its time."""
    if len(token) > _LONGEST:
        return None
    signed = bytes_in(token)
    if signed is None:
        return None
    mac, content = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
    if not hmac.compare_digest(mac, hmac.digest(key, content, hashlib.sha256)):
        return None
    asker = msgspec.msgpack.decode(content, type=Asker)
    return asker if now_s - AHEAD_S < asker.expires_at_s <= now_s + VALID_S + AHEAD_S else None
