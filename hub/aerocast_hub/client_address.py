"""Where a request came from, when proxies stand in between.

Each proxy appends the address it was called from to ``X-Forwarded-For``, so the list is believed
from its right end, and only as far as our own proxies wrote it: what stands left of the first
stranger was sent by that stranger and says anything.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

MOST_HOPS = 32
UNKNOWN = "unknown"
TOLD_BY_PROXIES = frozenset({"forwarded", "x-forwarded-for", "x-real-ip"})
"""Headers a proxy adds: who called us is not who asks."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def read_networks(text: str) -> tuple[Network, ...]:
    """Read a comma-separated list of addresses and networks (CIDR).

    Raises
    ------
    ValueError
        Something in it is no network; a network's host bits must be 0.
    """
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """Give the address a request came from.

    Parameters
    ----------
    peer
        Who called us: the other end of the connection.
    forwarded_for
        Values of ``X-Forwarded-For``, in the order they came.
    trusted
        Networks our own proxies are in.

    Returns
    -------
    The last address that no proxy of ours wrote down for itself. Where one of them wrote what is
    no address, the proxy that passed it on.
    """
    client = peer
    hops = [hop for value in forwarded_for for hop in value.split(",")]
    for hop in reversed(hops[-MOST_HOPS:]):
        if not is_trusted(client, trusted):
            break
        address = _address(hop)
        if address is None:
            break
        client = str(address)
    return client


def is_trusted(client: str, trusted: Iterable[Network]) -> bool:
    """Say whether an address is one of our own proxies'."""
    address = _address(client)
    return address is not None and any(
        address.version == network.version and address in network for network in trusted
    )


@lru_cache(1024)  # a client asks again
def limited_as(client: str) -> str:
    """Give what tries of a client are counted under: an IPv6 client has a whole /64 to itself."""
    address = _address(client)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return client[:64]


def _address(text: str) -> Address | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
