"""An OpenID Connect provider, asked over HTTP (Core 1.0, Discovery 1.0, RFC 7636).

The library authlib judges what an ID token claims, and joserfc (its own) its signature. Answers are
bounded in size and time; nothing a provider says is believed that its keys did not sign.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from aerocast_hub.outgoing_tls import believed

LONGEST_ANSWER = 1 << 20
TIMEOUT_S = 10.0
KNOWN_FOR_S = 3600.0
KEYS_AGAIN_AFTER_S = 10.0
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "RS384", "RS512", "ES384", "ES512")
LEEWAY_S = 60

_log = logging.getLogger(__name__)


class ProviderError(Exception):
    """The provider does not answer, or says what cannot be believed; the text is for the log."""


class Discovered(msgspec.Struct, frozen=True):
    """Where the provider's endpoints are (Discovery 1.0 §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Granted(msgspec.Struct, frozen=True):
    id_token: str


class Provider:
    """Knows one provider; remembers its endpoints and keys for a while.

    Parameters
    ----------
    issuer
        Its address, as its own description has it.
    client_secret
        None: the hub is a public client, and PKCE alone proves that who asked is who redeems.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str | None, scopes: str) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._discovered: Discovered | None = None
        self._discovered_at_s = 0.0
        self._keys: Any = None
        self._keys_at_s = 0.0

    async def address(self, back: str, state: str, nonce: str, verifier: str) -> str:
        """Give where to send a browser.

        Raises
        ------
        ProviderError
            The provider does not describe itself.
        """
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: PLC0415  an extra

        found = await self._discover()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": back,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]  # its stubs have no types here
            "code_challenge_method": "S256",
        }
        sign = "&" if urlsplit(found.authorization_endpoint).query else "?"
        return f"{found.authorization_endpoint}{sign}{urlencode(asked)}"

    async def redeem(self, code: str, back: str, verifier: str, nonce: str) -> Mapping[str, object]:
        """Give what the provider claims of whoever brought a code back.

        Raises
        ------
        ProviderError
            The code is no good, or the ID token is not for us, not for now or not signed right.
        """
        found = await self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
            "client_id": self._client_id,
        }
        login = None
        if self._client_secret is not None:
            login = httpx.BasicAuth(self._client_id, self._client_secret)
        content = await self._ask("POST", found.token_endpoint, form, login)
        try:
            granted = msgspec.json.decode(content, type=_Granted)
        except msgspec.MsgspecError as error:
            raise ProviderError("the provider gave no ID token") from error
        return await self._believe(granted.id_token, nonce)

    async def _believe(self, id_token: str, nonce: str) -> Mapping[str, object]:
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415  an extra
        from joserfc import jwt  # noqa: PLC0415  likewise
        from joserfc.errors import JoseError  # noqa: PLC0415  likewise

        try:
            try:
                token = jwt.decode(id_token, await self._key_set(), algorithms=list(ALGORITHMS))
            except (JoseError, ValueError):
                # A key it brought in since: looked for once.
                keys = await self._key_set(anew=True)
                token = jwt.decode(id_token, keys, algorithms=list(ALGORITHMS))
            wanted = {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self._client_id},
                "nonce": {"essential": True, "value": nonce},
            }
            claims = CodeIDToken(
                token.claims,
                token.header,
                options=wanted,
                params={"nonce": nonce, "client_id": self._client_id},
            )
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError) as error:
            raise ProviderError(f"the ID token is not believed: {error!r}") from error
        return dict(token.claims)

    async def _discover(self) -> Discovered:
        now_s = time.monotonic()
        if self._discovered is None or now_s - self._discovered_at_s > KNOWN_FOR_S:
            address = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
            try:
                found = msgspec.json.decode(await self._ask("GET", address), type=Discovered)
            except msgspec.MsgspecError as error:
                raise ProviderError(f"{address} describes no provider") from error
            if found.issuer != self.issuer:
                raise ProviderError(f"{address} says that its issuer is {found.issuer[:200]!r}")
            self._discovered, self._discovered_at_s = found, now_s
        return self._discovered

    async def _key_set(self, *, anew: bool = False) -> Any:  # noqa: ANN401  an extra's own type
        from joserfc.jwk import KeySet  # noqa: PLC0415  an extra

        age_s = time.monotonic() - self._keys_at_s
        if self._keys is None or age_s > (KEYS_AGAIN_AFTER_S if anew else KNOWN_FOR_S):
            content = await self._ask("GET", (await self._discover()).jwks_uri)
            self._keys = KeySet.import_key_set(msgspec.json.decode(content))
            self._keys_at_s = time.monotonic()
        return self._keys

    async def _ask(
        self,
        method: str,
        address: str,
        form: Mapping[str, str] | None = None,
        login: httpx.BasicAuth | None = None,
    ) -> bytes:
        if not is_safe(address):
            raise ProviderError(f"{address[:200]} is not https")
        content = b""
        try:
            async with (
                httpx.AsyncClient(timeout=TIMEOUT_S, verify=believed()) as client,
                client.stream(method, address, data=form, auth=login) as answer,
            ):
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > LONGEST_ANSWER:
                        raise ProviderError(f"{address} answers more than {LONGEST_ANSWER} bytes")
        except httpx.HTTPError as error:
            raise ProviderError(f"{address} does not answer: {error!r}") from error
        if answer.status_code != httpx.codes.OK:
            raise ProviderError(f"{address} answers {answer.status_code}")
        return content


def is_safe(address: str) -> bool:
    """Say whether secrets may go to an address: by https, or to this very machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    )
