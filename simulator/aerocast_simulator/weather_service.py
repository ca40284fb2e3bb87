"""A weather service that answers as it is told: for outages, mistakes and every HTTP status."""

import asyncio
import gzip
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple, Self

_REASONS = {200: "OK", 203: "Non-Authoritative", 204: "No Content", 304: "Not Modified"}
LONGEST_HEAD = 16_384


class Answer(NamedTuple):
    """What is said to one request; ``cut`` ends the connection in the middle of the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    cut: bool = False


class Asked(NamedTuple):
    """A request as it came."""

    path: str
    headers: Mapping[str, str]


class WeatherService:
    """A server on a free port of this machine.

    Answers of a path are given in order, the last one for ever. With ``etag`` among its headers, an
    answer becomes 304 where the request says it has it already.

    Attributes
    ----------
    port, url
        Where it listens.
    asked
        Every request so far.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        self._server: asyncio.Server | None = None
        self._more = asyncio.Event()
        self.port = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LONGEST_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def says(self, path: str, *answers: Answer) -> None:
        """Answer a path, without its query, so from now on."""
        self._answers[path] = list(answers)

    async def until_asked(self, count: int) -> None:
        """Wait until so many requests came."""
        while len(self.asked) < count:
            self._more.clear()
            await self._more.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = (line.partition(":") for line in head[1:] if line)
            asked = Asked(
                head[0].split(" ")[1], {name.lower(): value.strip() for name, _, value in fields}
            )
            self.asked.append(asked)
            self._more.set()
            writer.write(self._answer(asked))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def _answer(self, asked: Asked) -> bytes:
        answers = self._answers.get(asked.path.partition("?")[0], [Answer(404)])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        etag = answer.headers.get("ETag")
        status, body = answer.status, answer.body
        if etag is not None and asked.headers.get("if-none-match") == etag:
            status, body = 304, b""
        headers = {"Content-Length": str(len(body)), "Connection": "close", **answer.headers}
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Answer')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return head + (body[: len(body) // 2] if answer.cut else body)


def packed(text: str) -> bytes:
    """Pack a text as cache files are."""
    return gzip.compress(text.encode(), mtime=0)
