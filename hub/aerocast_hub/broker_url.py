"""Where the broker is: ``embedded:``, ``none:``, ``mqtt://``, ``mqtts://`` or ``amqp://``."""

import ssl
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

EMBEDDED, NONE = "embedded:", "none:"


class BrokerAddress(msgspec.Struct, frozen=True):
    """Where a broker is, from ``mqtt://user:password@host:port`` or ``mqtts://``.

    Attributes
    ----------
    certificate, key, ca
        PEM files, for ``mqtts``: who we are, and whom to trust.
    """

    host: str
    port: int
    is_encrypted: bool = False
    user: str | None = None
    password: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


def tls_context(address: BrokerAddress) -> ssl.SSLContext | None:
    """Give what verifies the broker and proves ourselves; None without encryption.

    Raises
    ------
    OSError
        A file cannot be used; the message names it.
    """
    if not address.is_encrypted:
        return None
    try:
        context = ssl.create_default_context(cafile=address.ca)
        if address.certificate is not None:
            context.load_cert_chain(address.certificate, address.key)
    except OSError as error:
        files = [str(each) for each in (address.ca, address.certificate, address.key) if each]
        raise OSError(f"broker_ca, broker_certificate, broker_key {files}: {error}") from error
    return context


def parse_broker_url(url: str, setting: str = "broker_url") -> BrokerAddress:
    """Read a broker's address.

    Parameters
    ----------
    setting
        What to call it when it is none.

    Raises
    ------
    ValueError
        It is no ``mqtt://`` or ``mqtts://`` address. The message never holds the password.
    """
    others = "embedded:, none:, amqp://host, " if setting == "broker_url" else ""
    expected = f"{setting} is {others}mqtt://host:port or mqtts://host:port"
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
