"""Where webhooks may go: addresses on the public internet, never the hub's own network.

An address is resolved once and what it resolves to is connected to: a name that points elsewhere
a moment later (DNS rebinding) changes nothing. Redirects are not followed.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

LONGEST_URL = 2000
LONGEST_RESOLVING_S = 10.0

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that is assigned to the public internet. Outside of it stand, among others, addresses with an
# IPv4 address in them: of a NAT64 of one's own (RFC 8215), compatible and translated ones; and
# fec0::/10, once site-local (RFC 3879), which Python takes for global.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NOT_ROUTED = (ipaddress.ip_network("192.88.99.0/24"), ipaddress.ip_network("3fff::/20"))


class RefusedDestinationError(ValueError):
    """Nothing is sent there; the message says why."""


class Allowed(NamedTuple):
    """What the hub's settings let webhooks go to.

    Attributes
    ----------
    private_too
        Also addresses that are not on the public internet, and such without TLS.
    hosts
        These alone, in lower case; ``*.example.com`` is every host below it. Empty: any.
    """

    private_too: bool = False
    hosts: Collection[str] = ()

    def has(self, name: str) -> bool:
        """Say whether a host is among them."""
        return not self.hosts or any(
            name.endswith(each[1:]) if each.startswith("*.") else name == each
            for each in self.hosts
        )


PUBLIC = Allowed()


class Destination(NamedTuple):
    """Where to connect.

    Attributes
    ----------
    url
        With the resolved address in place of the name.
    host
        The header's value: name, and port unless it is the scheme's own.
    name
        Whom the certificate must name.
    """

    url: str
    host: str
    name: str


def check_url(url: str) -> SplitResult:
    """Check that something can be sent to an address at all.

    Raises
    ------
    RefusedDestinationError
        It is no address for HTTP, or carries a user's name.
    """
    if len(url) > LONGEST_URL or not url.isascii() or any(each <= " " for each in url):
        raise RefusedDestinationError("no address: too long, or not in plain characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedDestinationError(f"{url[:80]!r} is no address") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise RefusedDestinationError(f"{url[:80]!r} is no address that begins with https://")
    if parts.username is not None or parts.password is not None:
        raise RefusedDestinationError("the address carries a user's name: leave it out")
    return parts


async def resolve(url: str, allowed: Allowed = PUBLIC) -> Destination:
    """Find out where an address leads.

    Raises
    ------
    RefusedDestinationError
        It leads nowhere, or where nothing is sent.
    """
    parts = check_url(url)
    name = parts.hostname or ""
    if not allowed.has(name):
        raise RefusedDestinationError(f"{name[:253]!r} is not among WEBHOOK_HOSTS")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(LONGEST_RESOLVING_S):
            found = await asyncio.get_running_loop().getaddrinfo(
                name, port, type=socket.SOCK_STREAM
            )
    except (OSError, UnicodeError) as error:
        raise RefusedDestinationError(f"{name!r} cannot be resolved: {error}") from None
    addresses = [str(each[4][0]).partition("%")[0] for each in found]
    if not addresses:
        raise RefusedDestinationError(f"{name!r} has no address")
    if not allowed.private_too:
        for address in addresses:
            if not is_public(address):
                raise RefusedDestinationError(
                    f"{name!r} is at {address}, which is not on the public internet"
                )
        if parts.scheme == "http":
            raise RefusedDestinationError("to the internet webhooks go by https:// alone")
    pinned = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    host = parts.netloc if parts.port is not None else name
    return Destination(f"{parts.scheme}://{pinned}:{port}{path}{query}", host, name)


def is_public(address: str) -> bool:
    """Say whether an IP address is on the public internet, also when wrapped in IPv6."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None or ip not in _GLOBAL_UNICAST:
            return False
    if any(ip in each for each in _NOT_ROUTED):
        return False
    return ip.is_global and not ip.is_multicast
