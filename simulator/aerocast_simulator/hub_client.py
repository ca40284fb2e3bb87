"""Ask the hub over HTTP, as an operator or a passenger would; standard library only."""

import asyncio
import json
import urllib.error
import urllib.request

import msgspec

TIMEOUT_S = 10.0
Json = dict[str, object]


class HubError(RuntimeError):
    """The hub answered with an error; ``status`` is the HTTP status."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"the hub answered {status}: {detail}")
        self.status = status


class HubClient:
    """One user's conversation with the hub.

    Parameters
    ----------
    url
        Where the hub is, without a path: ``http://127.0.0.1:8000``.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._token: str | None = None

    async def login(self, user: str, password: str) -> None:
        """Log in; later calls carry the token."""
        answer = await self.post("/auth/login", {"name": user, "password": password})
        self._token = str(msgspec.convert(answer, _Login).access_token)

    async def get(self, path: str) -> Json:
        """Fetch a JSON object (a bare array comes as ``{"items": [...]}``)."""
        return await asyncio.to_thread(self._ask, "GET", path, None)

    async def post(self, path: str, body: Json) -> Json:
        """Send a JSON object and give the answer."""
        return await asyncio.to_thread(self._ask, "POST", path, body)

    async def text(self, path: str) -> str:
        """Fetch something that is not JSON."""
        return (await asyncio.to_thread(self._fetch, "GET", path, None)).decode()

    def _ask(self, method: str, path: str, body: Json | None) -> Json:
        decoded = json.loads(self._fetch(method, path, body) or b"{}")
        return decoded if isinstance(decoded, dict) else {"items": decoded}

    def _fetch(self, method: str, path: str, body: Json | None) -> bytes:
        headers = {"Accept": "application/json, */*;q=0.5", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(  # noqa: S310  our own hub's address, http by design
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers=headers,
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  as above
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise HubError(error.code, error.read(500).decode(errors="replace")) from error


class _Login(msgspec.Struct):
    access_token: str
