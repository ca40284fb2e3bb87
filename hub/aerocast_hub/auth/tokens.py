"""Access tokens: short-lived JWTs anyone with the public key can check (RFC 7519, RFC 8037 EdDSA).

Only the auth service holds the private key. The other services verify by the public key alone: they
need no users table and no call. A key is named by its RFC 7638 thumbprint, and the name travels in
each token's header (``kid``), so that a second key can be brought in before the first goes.
"""

import base64
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from aerocast_hub.auth.permissions import grants

ACCESS_TOKEN_S = 15 * 60
ISSUER = "aerocast"
AUDIENCE = "aerocast-hub"
MOST_REMEMBERED = 1024
LONGEST_TOKEN = 4096


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
    key_prefix
        The API key the request came with; None for a token's.
    version
        Which version of the account the token was issued for (`UserRow.version`).
    """

    user_id: str
    name: str
    permissions: frozenset[str]
    expires_at_s: int
    airlines: frozenset[str] | None = None
    stations: frozenset[str] | None = None
    session_id: str | None = None
    key_prefix: str | None = None
    version: int = 0

    def may(self, wanted: str) -> bool:
        """Say whether they have a permission: for features that know nothing of accounts."""
        return grants(self.permissions, wanted)


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    iss: str
    aud: str
    sub: str
    name: str
    scope: str
    iat: int
    exp: int
    airlines: list[str] | None = None
    stations: list[str] | None = None
    sid: str | None = None
    ver: int = 0


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
        version: int = 0,
    ) -> str:
        """Give an access token good for ``ACCESS_TOKEN_S`` seconds from ``now_s``."""
        claims = _Claims(
            iss=ISSUER,
            aud=AUDIENCE,
            sub=user_id,
            name=name,
            scope=" ".join(sorted(permissions)),
            iat=now_s,
            exp=now_s + ACCESS_TOKEN_S,
            airlines=None if airlines is None else sorted(airlines),
            stations=None if stations is None else sorted(stations),
            sid=session_id,
            ver=version,
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

    def knows(self, token: str) -> bool:
        """Say whether the key a token names is known here, whatever the token is worth."""
        if token in self._good:
            return True
        try:
            return jwt.get_unverified_header(token[:LONGEST_TOKEN]).get("kid") in self._keys
        except jwt.PyJWTError:
            return True  # no other key would make it one

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
                audience=AUDIENCE,
                options={"verify_exp": False, "verify_iat": False},
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
            version=claims.ver,
        )


def jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """Write a public key as RFC 8037 §2 does, for those who check our tokens elsewhere."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": _base64url(_raw(key)),
        "kid": key_id(key),
        "alg": "EdDSA",
        "use": "sig",
    }


def key_id(key: Ed25519PublicKey) -> str:
    """Name a key by its RFC 7638 thumbprint (RFC 8037 §2 members, in alphabetical order)."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(_raw(key))}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
