"""Where the MQTT broker is: ``embedded:``, ``none:``, ``mqtt://`` or ``mqtts://``."""

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
    expected = "broker_url is embedded:, none:, mqtt://host:port or mqtts://host:port"
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


def check_broker_url(url: str) -> None:
    """Check a broker setting.

    Raises
    ------
    ValueError
        It is none of the four kinds. The message never holds the password.
    """
    if url not in {EMBEDDED, NONE}:
        parse_broker_url(url)
