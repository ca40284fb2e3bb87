"""Secrets that must be read again, sealed at rest (AES-256-GCM) by a key made of the hub's own."""

import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class SealError(Exception):
    """What was sealed cannot be opened: another secret key sealed it, or it was changed."""


class Seal:
    """Seals and opens.

    Parameters
    ----------
    secret_key
        Gives the hub's secret key, when it is first needed.
    """

    def __init__(self, secret_key: Callable[[], str]) -> None:
        self._secret_key = secret_key

    def close(self, secret: bytes, about: bytes) -> bytes:
        """Seal a secret; it opens only with the same ``about`` (whose it is)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, secret, about)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """Open what was sealed.

        Raises
        ------
        SealError
            It was sealed with another key or for somebody else, or was changed.
        """
        try:
            return self._cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
        except InvalidTag as error:
            raise SealError("a sealed secret does not open: was the secret key changed?") from error

    def _cipher(self) -> AESGCM:
        derive = HKDF(SHA256(), length=32, salt=None, info=b"aerocast second factors 1")
        return AESGCM(derive.derive(self._secret_key().encode()))
