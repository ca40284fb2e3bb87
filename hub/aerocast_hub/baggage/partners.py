"""Who may log in at the hub's own BagMessage server, and what each of them gets.

A TOML file, for the passwords in it readable by the hub alone:

    [[partner]]
    application = "AFBRS"              # at most 8 characters
    password_file = "/etc/aerocast/afbrs.secret"     # or password = "..."
    types = ["BSM", "BPM"]             # only these; left out: all
    stations = ["TLS"]
    airlines = ["AF", "AFR"]           # of the outbound or inbound flight
    sends = false                      # what it sends is refused
"""

import tomllib
from pathlib import Path

import msgspec
from aerocast_protocols.baggage import BagMessage

from aerocast_hub.settings import SettingsError


class Partner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One partner.

    Attributes
    ----------
    application
        Its application id on the link.
    types, stations, airlines
        What it gets: messages that fit all three; empty: whatever.
    receives, sends
        Whether it gets messages, and whether what it sends is taken in.
    """

    application: str
    password: str | None = None
    password_file: Path | None = None
    types: frozenset[str] = frozenset()
    stations: frozenset[str] = frozenset()
    airlines: frozenset[str] = frozenset()
    receives: bool = True
    sends: bool = True

    def __repr__(self) -> str:
        """Tell no password."""
        return f"Partner({self.application!r})"

    def gets(self, message: BagMessage) -> bool:
        """Say whether a message is for this partner."""
        if not self.receives or (self.types and message.kind not in self.types):
            return False
        station = None if message.version is None else message.version.station
        if self.stations and station not in self.stations:
            return False
        return not self.airlines or bool(self.airlines & _airlines(message))


class _File(msgspec.Struct, forbid_unknown_fields=True):
    partner: list[Partner] = []


def read_partners(file: Path) -> dict[str, tuple[Partner, bytes]]:
    """Read the partners: application id -> partner and password.

    Raises
    ------
    SettingsError
        The file cannot be read or says something that makes no sense; no password is shown.
    """
    try:
        read = msgspec.convert(tomllib.loads(file.read_text()), _File)
        found = {each.application: (each, _password(each)) for each in read.partner}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from None
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file}: {error}") from None
    if len(found) != len(read.partner):
        raise SettingsError(f"{file}: two partners have one application id")
    return found


def _password(partner: Partner) -> bytes:
    name = partner.application
    if not 1 <= len(name) <= 8 or not name.isascii() or not name.isprintable():
        raise SettingsError(f"application {name[:16]!r} is not 1 to 8 ASCII characters")
    if (partner.password is None) == (partner.password_file is None):
        raise SettingsError(f"partner {name}: give one of password and password_file")
    password = partner.password
    if partner.password_file is not None:
        password = partner.password_file.read_text().strip()
    if not password:
        raise SettingsError(f"partner {name}: the password is empty")
    return password.encode()


def _airlines(message: BagMessage) -> set[str]:
    flights = (leg for bags in message.bags for leg in (bags.outbound, bags.inbound))
    return {leg.airline for leg in flights if leg is not None}
