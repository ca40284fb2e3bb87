"""Headers on every answer: what browsers may do with it, and who may keep it."""

from collections.abc import Iterable

from litestar.types import Message, Scope

# No inline script and no inline style anywhere; 'data:' is for Swagger's own little icons.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # A passenger's page carries its key in its address: no other site may hear of it.
    # ('no-referrer' would also blank the Origin of our own forms, which the guard looks at.)
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


async def add_security_headers(message: Message, scope: Scope) -> None:
    """Add them to an answer that is about to leave; what it says itself about caching stays."""
    if message["type"] != "http.response.start":
        return
    is_https = scope.get("scheme") == "https"
    message["headers"] = with_security_headers(message["headers"], is_https=is_https)


def with_security_headers(
    said: Iterable[tuple[bytes, bytes]], *, is_https: bool
) -> list[tuple[bytes, bytes]]:
    """Give an answer's headers with ours: the raw list at once, for every request pays for it."""
    said = list(said)
    headers = [pair for pair in said if pair[0].lower() not in _NAMES]
    headers += _ALWAYS
    if is_https:
        headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
    if all(name.lower() != b"cache-control" for name, _ in said):
        headers.append((b"cache-control", b"no-store"))
    return headers


_ALWAYS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_NAMES = frozenset(name for name, _ in _ALWAYS)
