"""Where the broker is: ``embedded:``, ``none:``, ``mqtt://``, ``mqtts://`` or ``amqp://``."""

from importlib import import_module
from urllib.parse import unquote, urlsplit

import msgspec

EMBEDDED, NONE = "embedded:", "none:"


class BrokerAddress(msgspec.Struct, frozen=True):
    """Where a broker is, from ``mqtt://user:password@host:port`` or ``mqtts://``."""

    host: str
    port: int
    is_encrypted: bool = False
    user: str | None = None
    password: str | None = None


def parse_broker_url(url: str) -> BrokerAddress:
    """Read a broker's address.

    Raises
    ------
    ValueError
        It is no ``mqtt://`` or ``mqtts://`` address. The message never holds the password.
    """
    expected = "broker_url is embedded:, none:, mqtt://host:port, mqtts://host:port or amqp://host"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise ValueError(expected)
    is_encrypted = parts.scheme == "mqtts"
    return BrokerAddress(
        host=parts.hostname,
        port=port or (8883 if is_encrypted else 1883),
        is_encrypted=is_encrypted,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def is_amqp(url: str) -> bool:
    """Say whether this is RabbitMQ, read over AMQP."""
    return url.startswith(("amqp://", "amqps://"))


def check_amqp_url(name: str, url: str) -> None:
    """Check a setting that names a RabbitMQ.

    Raises
    ------
    ValueError
        It is no such address, or the client for it is not installed. The message never holds the
        password.
    """
    try:
        is_one = is_amqp(url) and bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError(f"{name} is amqp://user:password@host:port/virtual-host, or amqps://")
    try:
        import_module("aio_pika")
    except ImportError:
        raise ValueError(f"{name} needs the extra: pip install aerocast-hub[amqp]") from None


def check_broker_url(url: str) -> None:
    """Check a broker setting.

    Raises
    ------
    ValueError
        It is none of the five kinds. The message never holds the password.
    """
    if is_amqp(url):
        check_amqp_url("broker_url", url)
    elif url not in {EMBEDDED, NONE}:
        parse_broker_url(url)
