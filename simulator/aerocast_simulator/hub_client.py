"""Ask the hub over HTTP, as an operator or a passenger would; standard library only."""

import asyncio
import json
import urllib.error
import urllib.request

import msgspec

TIMEOUT_S = 10.0
TOO_MANY_REQUESTS = 429
LONGEST_WAIT_S = 30.0  # longer is asked of who guesses passwords
MOST_TRIES = 10
Json = dict[str, object]


class HubError(RuntimeError):
    """The hub answered with an error.

    Attributes
    ----------
    status
        The HTTP status.
    retry_after_s
        When to ask again; None when it does not say.
    """

    def __init__(self, status: int, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"the hub answered {status}: {detail}")
        self.status = status
        self.retry_after_s = retry_after_s


class HubClient:
    """One user's conversation with the hub; asked to slow down, it waits and asks again.

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
        return _object(await self._fetch("GET", path))

    async def post(self, path: str, body: Json) -> Json:
        """Send a JSON object and give the answer."""
        return _object(await self._fetch("POST", path, body))

    async def text(self, path: str) -> str:
        """Fetch something that is not JSON."""
        return (await self._fetch("GET", path)).decode()

    async def _fetch(self, method: str, path: str, body: Json | None = None) -> bytes:
        tries = 0
        while True:
            tries += 1
            try:
                return await asyncio.to_thread(self._ask, method, path, body)
            except HubError as error:
                wait_s = error.retry_after_s
                if error.status != TOO_MANY_REQUESTS or wait_s is None or wait_s > LONGEST_WAIT_S:
                    raise
                if tries == MOST_TRIES:
                    raise
                await asyncio.sleep(wait_s)

    def _ask(self, method: str, path: str, body: Json | None) -> bytes:
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
                after = error.headers.get("Retry-After", "")
                told = error.read(500).decode(errors="replace")
                wait_s = float(after) if after.isdecimal() else None
                raise HubError(error.code, told, wait_s) from error


def _object(content: bytes) -> Json:
    decoded = json.loads(content or b"{}")
    return decoded if isinstance(decoded, dict) else {"items": decoded}


class _Login(msgspec.Struct):
    access_token: str
