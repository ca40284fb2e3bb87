"""The keys tokens are signed with: made, brought in beside the old one, and let go of.

They stand in ``token_keys/`` of the hub's data folder: ``3.private.pem`` signs, for it has the
highest number; ``3.public.pem`` and ``2.public.pem`` are checked against, the latter until the last
token it signed is past its time. Whoever has the public files needs nothing else. Processes look at
the folder again when it changed: no restart is needed to rotate.
"""

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from aerocast_hub.auth.tokens import (
    ACCESS_TOKEN_S,
    Principal,
    TokenError,
    TokenSigner,
    TokenVerifier,
    key_id,
)

FOLDER = "token_keys"
LOOK_EVERY_S = 2.0
"""How long a key that was taken away may still be taken here."""
RETIRES_AFTER_S = ACCESS_TOKEN_S + 60
_NAME = re.compile(r"([1-9][0-9]{0,8})\.(private|public)\.pem")


class _PublicKey(NamedTuple):
    number: int
    key: Ed25519PublicKey
    made_at_s: float


class KeyState(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it stands.

    Attributes
    ----------
    id
        Its RFC 7638 thumbprint: ``kid`` of the tokens it signed.
    made_at_us, good_until_us
        UTC microseconds; None: it signs, and is good until another one does.
    """

    id: str
    made_at_us: int
    good_until_us: int | None


class TokenKeys:
    """The hub's keys, opened when first needed: making an application touches no file.

    Parameters
    ----------
    folder
        The hub's data folder.
    is_signing
        The auth service runs in this process: it makes the first key when there is none. Without
        it a public key is waited for, and until there is one no token is good.
    """

    def __init__(self, folder: Path, *, is_signing: bool) -> None:
        self._folder = folder / FOLDER
        self._is_signing = is_signing
        self._signer: TokenSigner | None = None
        self._verifier = TokenVerifier({})
        self._seen: int | None = None
        self._look_again_at_s = 0.0

    @property
    def signer(self) -> TokenSigner:
        """What signs tokens here: the newest key, also one that was made a moment ago."""
        if self._signer is None and not _numbers(self._folder, "private"):
            _make_key(self._folder, 1)
        self._look()
        if self._signer is None:
            raise TokenError(f"{self._folder} holds no key that signs")
        return self._signer

    def verify(self, token: str, now_s: float) -> Principal:
        """Say who holds a token.

        Raises
        ------
        TokenError
            As `TokenVerifier.verify`, or the auth service has not made its key yet.
        """
        if self._is_signing and self._signer is None:
            _ = self.signer
        if time.monotonic() >= self._look_again_at_s or not self._verifier.knows(token):
            self._look()
        return self._verifier.verify(token, now_s)

    def public_keys(self) -> list[Ed25519PublicKey]:
        """Give the keys tokens are checked against, the newest first."""
        if self._is_signing:
            _ = self.signer
        return [each.key for each in _good_keys(self._folder, time.time())]

    def _look(self) -> None:
        """Read the folder again, when it changed or a key in it is past its time."""
        self._look_again_at_s = time.monotonic() + LOOK_EVERY_S
        good = _numbers(self._folder, "public")
        seen = hash((_changed_ns(self._folder), len(good) > 1 and int(time.time()) // 60))
        if seen == self._seen:
            return
        self._seen = seen
        keys = {key_id(each.key): each.key for each in _good_keys(self._folder, time.time())}
        self._verifier = TokenVerifier(keys)
        private = max(_numbers(self._folder, "private"), default=None)
        if self._is_signing and private is not None:
            self._signer = TokenSigner(_private_key(self._folder / f"{private}.private.pem"))


def rotate(folder: Path, *, is_compromised: bool) -> KeyState:
    """Bring in a new key; it signs from now on.

    The old private key is deleted. Tokens it signed stay good until they end by themselves, unless
    it is compromised: then they are refused at once, and everybody refreshes.

    Parameters
    ----------
    folder
        The hub's data folder.
    """
    keys = folder / FOLDER
    number = max((*_numbers(keys, "public"), *_numbers(keys, "private")), default=0) + 1
    _make_key(keys, number)
    good = {each.number for each in _good_keys(keys, time.time())}
    for old in _numbers(keys, "private"):
        if old < number:
            (keys / f"{old}.private.pem").unlink(missing_ok=True)
    for old in _numbers(keys, "public"):
        if old < number and (is_compromised or old not in good):
            (keys / f"{old}.public.pem").unlink(missing_ok=True)
    return key_states(folder)[0]


def key_states(folder: Path) -> list[KeyState]:
    """Give the keys tokens are checked against, the one that signs first."""
    states = []
    replaced_at_s = None
    for each in _good_keys(folder / FOLDER, time.time()):
        until_s: float | None = None if replaced_at_s is None else replaced_at_s + RETIRES_AFTER_S
        states.append(
            KeyState(
                id=key_id(each.key),
                made_at_us=round(each.made_at_s * 1_000_000),
                good_until_us=None if until_s is None else round(until_s * 1_000_000),
            )
        )
        replaced_at_s = each.made_at_s
    return states


def _good_keys(folder: Path, now_s: float) -> list[_PublicKey]:
    """Give the public keys, the newest first: all but those replaced too long ago."""
    keys: list[_PublicKey] = []
    for number in sorted(_numbers(folder, "public"), reverse=True):
        if keys and keys[-1].made_at_s + RETIRES_AFTER_S <= now_s:
            break
        keys += _public_key(folder, number)
    return keys


def _public_key(folder: Path, number: int) -> Iterator[_PublicKey]:
    path = folder / f"{number}.public.pem"
    try:
        content, made_at_s = path.read_bytes(), path.stat().st_mtime
    except FileNotFoundError:
        return  # taken away between two looks
    key = serialization.load_pem_public_key(content)
    if not isinstance(key, Ed25519PublicKey):
        raise TokenError(f"{path} holds no Ed25519 public key")
    yield _PublicKey(number, key, made_at_s)


def _private_key(path: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TokenError(f"{path} holds no Ed25519 private key")
    return key


def _make_key(folder: Path, number: int) -> None:
    """Make a key pair, unless another process is first: then its pair is the one.

    The public key stands there before the private one: no token is out that nobody can check.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    public, private = folder / f"{number}.public.pem", folder / f"{number}.private.pem"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as scratch:
        fresh = Path(scratch)
        key = Ed25519PrivateKey.generate()
        _write(fresh / private.name, _private_pem(key), 0o600)
        _write(fresh / public.name, _public_pem(key.public_key()), 0o644)
        with _lock(folder):
            if not private.exists():
                (fresh / public.name).replace(public)
                (fresh / private.name).replace(private)


def _numbers(folder: Path, half: str) -> list[int]:
    if not folder.is_dir():
        return []
    names = [_NAME.fullmatch(path.name) for path in folder.iterdir()]
    return [int(each[1]) for each in names if each is not None and each[2] == half]


def _changed_ns(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Let one process at a time put keys into the folder."""
    with (folder / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _write(path: Path, content: bytes, mode: int) -> None:
    with path.open("wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
