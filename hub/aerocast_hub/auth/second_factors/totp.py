"""Time-based one-time passwords (RFC 6238, on RFC 4226 §5.3). Pure.

What authenticator apps understand everywhere: HMAC-SHA-1, six digits, steps of 30 seconds.
"""

import base64
import hmac
import struct
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20  # RFC 4226 §4, R6: 160 bits
STEPS_OFF = 1  # RFC 6238 §5.2: a clock may be a step off, or the code be typed slowly


def code_at(secret: bytes, step: int) -> str:
    """Give the code of a time step: UTC seconds divided by ``STEP_S``."""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    number = struct.unpack_from(">I", digest, offset)[0] & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: bytes, code: str, now_s: int) -> int | None:
    """Give the time step a code belongs to, the present one or one beside it; None: it is wrong."""
    now = now_s // STEP_S
    typed = "".join(code.split())
    found = None
    for step in range(max(0, now - STEPS_OFF), now + STEPS_OFF + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), typed.encode()):
            found = step
    return found


def base32(secret: bytes) -> str:
    """Write a secret as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def provisioning_uri(secret: bytes, account: str, issuer: str = "AeroCast") -> str:
    """Give the address an app reads from a QR code (Key Uri Format of Google Authenticator)."""
    label = f"{quote(issuer)}:{quote(account, safe='')}"
    asked = {"secret": base32(secret), "issuer": issuer, "digits": DIGITS, "period": STEP_S}
    return f"otpauth://totp/{label}?{urlencode(asked, quote_via=quote)}"
