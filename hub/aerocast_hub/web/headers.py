"""Headers on every answer: what browsers may do with it, and who may keep it."""

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
    # The raw list at once: an answer has a dozen headers, and every request pays for them.
    own = {name.lower() for name, _ in message["headers"]}
    headers = [pair for pair in message["headers"] if pair[0].lower() not in _NAMES]
    headers += _ALWAYS
    if scope.get("scheme") == "https":
        headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
    if b"cache-control" not in own:
        headers.append((b"cache-control", b"no-store"))
    message["headers"] = headers


_ALWAYS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
_NAMES = frozenset(name for name, _ in _ALWAYS)
