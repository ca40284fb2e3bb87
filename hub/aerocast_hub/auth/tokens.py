"""Access tokens: short-lived JWTs anyone with the public key can check (RFC 7519, RFC 8037 EdDSA).

Only the auth service holds the private key. The other services verify by the public key alone: they
need no users table and no call. A key is named by its RFC 7638 thumbprint, and the name travels in
each token's header (``kid``), so that a second key can be brought in before the first goes.
"""

import base64
import hashlib
import json
import os
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ACCESS_TOKEN_S = 15 * 60
ISSUER = "aerocast"
MOST_REMEMBERED = 1024
LONGEST_TOKEN = 4096
PRIVATE_KEY, PUBLIC_KEY = "token_signing_key.pem", "token_public_key.pem"


class TokenError(Exception):
    """A token is forged, of an unknown key, none at all, or past its time; or a key is no key."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking, as a verified token says.

    Attributes
    ----------
    user_id
        The account's UUID, as text.
    permissions
        What the account's roles allowed when the token was issued.
    expires_at_s
        When the token ends, seconds since 1970-01-01.
    airlines, stations
        Whose flights and bags it may see: airline designators, airport codes. None: every one's.
    session_id
        The session the token is of; None for an API key's request.
    """

    user_id: str
    name: str
    permissions: frozenset[str]
    expires_at_s: int
    airlines: frozenset[str] | None = None
    stations: frozenset[str] | None = None
    session_id: str | None = None


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    iss: str
    sub: str
    name: str
    scope: str
    iat: int
    exp: int
    airlines: list[str] | None = None
    stations: list[str] | None = None
    sid: str | None = None


class TokenSigner:
    """Issues access tokens."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.key_id = key_id(key.public_key())

    def issue(  # noqa: PLR0913  a claim each
        self,
        user_id: str,
        name: str,
        permissions: frozenset[str],
        now_s: int,
        *,
        airlines: frozenset[str] | None = None,
        stations: frozenset[str] | None = None,
        session_id: str | None = None,
    ) -> str:
        """Give an access token good for ``ACCESS_TOKEN_S`` seconds from ``now_s``."""
        claims = _Claims(
            iss=ISSUER,
            sub=user_id,
            name=name,
            scope=" ".join(sorted(permissions)),
            iat=now_s,
            exp=now_s + ACCESS_TOKEN_S,
            airlines=None if airlines is None else sorted(airlines),
            stations=None if stations is None else sorted(stations),
            sid=session_id,
        )
        return jwt.encode(
            msgspec.to_builtins(claims), self._key, algorithm="EdDSA", headers={"kid": self.key_id}
        )


class TokenVerifier:
    """Checks access tokens by public keys alone."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)
        self._good: OrderedDict[str, Principal] = OrderedDict()

    def verify(self, token: str, now_s: float) -> Principal:
        """Say who holds a token.

        A signature that was good stays good: only its time is looked at again.

        Raises
        ------
        TokenError
            It is forged, of an unknown key, no token at all, or past its time.
        """
        principal = self._good.get(token)
        if principal is None:
            principal = self._principal(token)
            self._good[token] = principal
            if len(self._good) > MOST_REMEMBERED:
                self._good.popitem(last=False)
        if now_s >= principal.expires_at_s:
            self._good.pop(token, None)
            raise TokenError("token is past its time")
        return principal

    def _principal(self, token: str) -> Principal:
        if len(token) > LONGEST_TOKEN:
            raise TokenError("token is too long")
        try:
            key = self._keys[str(jwt.get_unverified_header(token).get("kid"))]
            # The time is checked below, against the caller's clock.
            decoded = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                issuer=ISSUER,
                options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
            )
            claims = msgspec.convert(decoded, _Claims)
        except (jwt.PyJWTError, KeyError, msgspec.ValidationError, RecursionError) as error:
            raise TokenError("token is not one of ours") from error
        return Principal(
            user_id=claims.sub,
            name=claims.name,
            permissions=frozenset(claims.scope.split()),
            expires_at_s=claims.exp,
            airlines=None if claims.airlines is None else frozenset(claims.airlines),
            stations=None if claims.stations is None else frozenset(claims.stations),
            session_id=claims.sid,
        )


class TokenKeys:
    """The hub's keys, opened when first needed: making an application touches no file.

    Parameters
    ----------
    folder
        The hub's data folder.
    is_signing
        The auth service runs in this process: it makes the key pair when there is none. Without
        it the public key is waited for, and until it is there no token is good.
    """

    def __init__(self, folder: Path, *, is_signing: bool) -> None:
        self._folder = folder
        self._is_signing = is_signing
        self._signer: TokenSigner | None = None
        self._verifier: TokenVerifier | None = None

    @property
    def signer(self) -> TokenSigner:
        """What signs tokens here."""
        if self._signer is None:
            self._signer = signer_in(self._folder)
        return self._signer

    def verify(self, token: str, now_s: float) -> Principal:
        """Say who holds a token.

        Raises
        ------
        TokenError
            As `TokenVerifier.verify`, or the auth service has not made its key yet.
        """
        if self._verifier is None:
            if self._is_signing:
                _ = self.signer
            try:
                self._verifier = verifier_in(self._folder)
            except FileNotFoundError as error:
                raise TokenError("the auth service has made no key yet") from error
        return self._verifier.verify(token, now_s)


def signer_in(folder: Path) -> TokenSigner:
    """Open this hub's signing key, making it at the first start.

    The private key is readable by its owner alone. Two processes that start together end up with
    one key: the file appears whole or not at all, and the first one stays.

    Raises
    ------
    TokenError
        The file holds no Ed25519 private key.
    """
    path = folder / PRIVATE_KEY
    if not path.exists():
        _write_once(path, _private_pem(Ed25519PrivateKey.generate()), 0o600)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TokenError(f"{path} holds no Ed25519 private key")
    _write_once(folder / PUBLIC_KEY, _public_pem(key.public_key()), 0o644)
    return TokenSigner(key)


def verifier_in(folder: Path) -> TokenVerifier:
    """Open the public key another process of this hub signs with.

    Raises
    ------
    FileNotFoundError
        The auth service has never started here.
    TokenError
        The file holds no Ed25519 public key.
    """
    path = folder / PUBLIC_KEY
    key = serialization.load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise TokenError(f"{path} holds no Ed25519 public key")
    return TokenVerifier({key_id(key): key})


def key_id(key: Ed25519PublicKey) -> str:
    """Name a key by its RFC 7638 thumbprint (RFC 8037 §2 members, in alphabetical order)."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(_raw(key))}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _write_once(path: Path, content: bytes, mode: int) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    written = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(written)
    except FileExistsError:
        return  # another process was first: its key is the one
    finally:
        written.unlink()


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


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
