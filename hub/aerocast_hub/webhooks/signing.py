"""Signing what is sent, as Standard Webhooks 1.0 does: HMAC-SHA256 over id, time and body. Pure.

Receivers verify with any library of that name, or with `is_genuine`; the time in the signature
lets them refuse what somebody sends again.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

SECRET = "whsec_"  # noqa: S105  what secrets begin with
BELIEVED_S = 300


def new_secret() -> str:
    """Make a secret, 32 random bytes as text."""
    return SECRET + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, at_s: int, body: bytes) -> str:
    """Give the signature of a message: ``v1,<base64>``.

    Parameters
    ----------
    secret
        As `new_secret` made it, or any text both sides know.
    at_s
        When it is sent, seconds since 1970-01-01.
    """
    signed = f"{message_id}.{at_s}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def is_genuine(
    secret: str, message_id: str, sent: str, signature: str, body: bytes, *, now_s: int
) -> bool:
    """Say whether a message is from who knows the secret, and was sent within five minutes.

    Parameters
    ----------
    message_id, sent, signature
        The headers ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` as they came;
        the last may hold several signatures with spaces between.
    """
    if not sent.isdecimal() or len(sent) > 12 or abs(now_s - int(sent)) > BELIEVED_S:
        return False
    expected = sign(secret, message_id, int(sent), body).encode()
    return any(hmac.compare_digest(expected, each.encode()) for each in signature.split(" "))


def _key(secret: str) -> bytes:
    if secret.startswith(SECRET):
        try:
            return base64.b64decode(secret.removeprefix(SECRET), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()
