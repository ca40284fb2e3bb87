"""One request: conditional, bounded, never led astray, and its answer judged before it is read."""

import time
import zlib
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx

LARGEST_BODY = 64 * 1024 * 1024  # unpacked; the whole world's reports take 3 MB
MOST_REDIRECTS = 3
TIMEOUT_S = 20.0
_MOVED = (301, 302, 307, 308)
_HTML = (b"<!doctype html", b"<html")


class Condition(NamedTuple):
    """What the source said of its answer last time."""

    etag: str | None = None
    last_modified: str | None = None


class Fetched(NamedTuple):
    """An answer that can be used.

    Attributes
    ----------
    body
        None: unchanged, or nothing there.
    condition
        For the next request.
    fresh_for_s
        By its own word there is nothing new for so long.
    note
        What somebody should look at: moved, deprecated.
    """

    status: int
    body: bytes | None
    condition: Condition
    fresh_for_s: float = 0.0
    note: str | None = None


class FetchError(Exception):
    """No answer that can be used.

    Attributes
    ----------
    kind
        ``gone``: there is nothing there any more; ``busy``: asked too often; ``broken``: the rest.
    """

    def __init__(
        self,
        reason: str,
        kind: Literal["gone", "busy", "broken"] = "broken",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.kind, self.retry_after_s = kind, retry_after_s


async def fetch(client: httpx.AsyncClient, url: str, condition: Condition) -> Fetched:
    """Ask for a URL.

    Raises
    ------
    FetchError
        The answer cannot be used: an error, a page for people, a cut or endless body.
    """
    headers = {"Accept-Encoding": "gzip"}
    if condition.etag is not None:
        headers["If-None-Match"] = condition.etag
    if condition.last_modified is not None:
        headers["If-Modified-Since"] = condition.last_modified
    moved: str | None = None
    for _ in range(MOST_REDIRECTS + 1):
        try:
            async with client.stream("GET", url, headers=headers) as response:
                if response.status_code not in _MOVED:
                    return await _judge(response, condition, moved)
                url = _followed(url, response)
                if response.status_code in (301, 308):
                    moved = f"it moved to {url}: correct its address"
        except httpx.HTTPError as error:
            raise FetchError(f"{type(error).__name__}: {error}") from error
        except httpx.InvalidURL as error:
            raise FetchError(f"redirected to no address: {error}") from error
    raise FetchError(f"redirected more than {MOST_REDIRECTS} times")


def _followed(url: str, response: httpx.Response) -> str:
    try:
        there = urljoin(url, str(response.headers.get("location", "")))
        is_downgrade = urlsplit(url).scheme == "https" and urlsplit(there).scheme != "https"
    except ValueError as error:
        raise FetchError(f"redirected to no address: {error}") from error
    if is_downgrade:
        raise FetchError(f"redirected from https to {there[:200]!r}")
    if there == url:
        raise FetchError("redirected to itself")
    return there


async def _judge(response: httpx.Response, condition: Condition, note: str | None) -> Fetched:
    status, headers = response.status_code, response.headers
    fresh_for_s = _fresh_for_s(headers)
    if status == 304:
        return Fetched(status, None, condition, fresh_for_s, note)
    if status == 204:
        return Fetched(status, None, Condition(), fresh_for_s, note)
    if status in (404, 410):
        raise FetchError(f"HTTP {status}: nothing there", "gone")
    if status in (429, 503):
        raise FetchError(f"HTTP {status}: asked too often", "busy", _retry_after_s(headers))
    if status not in (200, 203):
        raise FetchError(f"HTTP {status}")
    body = await _body(response)
    if body[:512].lstrip().lower().startswith(_HTML):
        raise FetchError("it answered with a page for people")
    if status == 203:
        note = "it says that this interface is deprecated"
    known = Condition(headers.get("etag"), headers.get("last-modified"))
    return Fetched(status, body, known, fresh_for_s, note)


async def _body(response: httpx.Response) -> bytes:
    packed = bytearray()
    async for piece in response.aiter_raw():
        packed += piece
        if len(packed) > LARGEST_BODY:
            raise FetchError(f"over {LARGEST_BODY} bytes")
    body = bytes(packed)
    if response.headers.get("content-encoding", "").lower() == "gzip":
        body = unpacked(body)
    return unpacked(body) if body[:2] == b"\x1f\x8b" else body


def unpacked(packed: bytes) -> bytes:
    """Unpack gzip whole, or not at all.

    Raises
    ------
    FetchError
        It is cut, damaged or endless.
    """
    reading = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        body = reading.decompress(packed, LARGEST_BODY)
    except zlib.error as error:
        raise FetchError(f"gzip: {error}") from error
    if not reading.eof:
        cut = "is cut" if not reading.unconsumed_tail else f"holds over {LARGEST_BODY} bytes"
        raise FetchError(f"gzip {cut}")
    return body


def _fresh_for_s(headers: httpx.Headers) -> float:
    for part in headers.get("cache-control", "").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "max-age" and value.isdigit():
            return min(float(value), 3600.0)
    until = _instant_s(headers.get("expires"))
    return 0.0 if until is None else min(max(0.0, until - time.time()), 3600.0)


def _retry_after_s(headers: httpx.Headers) -> float | None:
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    until = _instant_s(text or None)
    return None if until is None else max(0.0, until - time.time())


def _instant_s(text: str | None) -> float | None:
    try:
        return None if text is None else parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
