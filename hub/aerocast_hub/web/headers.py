"""Headers on every answer: what browsers may do with it, and who may keep it."""

from litestar.datastructures import MutableScopeHeaders
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
    headers = MutableScopeHeaders.from_message(message)
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    if scope.get("scheme") == "https":
        headers["strict-transport-security"] = "max-age=31536000"
    if "cache-control" not in headers:
        headers["cache-control"] = "no-store"
