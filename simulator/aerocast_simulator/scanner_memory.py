"""A scanner that can be programmed over its own line: what it answers to commands. Pure."""

import re
from collections.abc import Mapping

from aerocast_protocols.barcode.programming import Dialect

_COMMANDS: dict[Dialect, re.Pattern[bytes]] = {
    "honeywell": re.compile(rb"\x16M\r([A-Z0-9]{6})([ -~]*?)([.!])"),
    "dmcc": re.compile(rb"\|\|0:(\d+)>(\S+) ?(\S*) ?([^\r\n]*)\r\n"),
    "cola_a": re.compile(rb"\x02(\w+) (\S+) ?([^\x03]*)\x03"),
}


class ScannerMemory:
    """Settings of one scanner.

    Parameters
    ----------
    dialect
        Whose commands it takes.
    settings
        Name -> value; it has no others.

    Attributes
    ----------
    saved
        What it would know after a power cycle.
    """

    def __init__(self, dialect: Dialect, settings: Mapping[str, str]) -> None:
        self.settings = dict(settings)
        self.saved = dict(settings)
        self._dialect: Dialect = dialect
        self._received = bytearray()
        self._full = self._open = False

    def answer(self, received: bytes) -> bytes:
        """Take bytes from the gateway; give what to send back."""
        self._received += received
        said = b""
        while found := _COMMANDS[self._dialect].search(self._received):
            texts = [each.decode("ascii") for each in found.groups()]
            del self._received[: found.end()]
            said += self._answer(texts).encode("ascii")
        return said

    def _answer(self, texts: list[str]) -> str:
        if self._dialect == "honeywell":
            return self._honeywell(texts)
        return self._dmcc(texts) if self._dialect == "dmcc" else self._cola(texts)

    def _honeywell(self, texts: list[str]) -> str:
        name, value, storage = texts
        if name not in self.settings:
            return f"{name}{value}\x05{storage}"
        if value == "?":
            return f"{name}{self.settings[name]}\x06{storage}"
        if not value.isdecimal():
            return f"{name}{value}\x15{storage}"
        self.settings[name] = value
        if storage == ".":
            self.saved[name] = value
        return f"{name}{value}\x06{storage}"

    def _dmcc(self, texts: list[str]) -> str:
        number, verb, name, value = texts
        status, told = 0, ""
        if (verb, name) == ("SET", "COM.DMCC-RESPONSE"):
            self._full = value == "1"
        elif verb == "CONFIG.SAVE":
            self.saved = dict(self.settings)
        elif name not in self.settings:
            status = 102
        elif verb == "GET":
            told = self.settings[name]
        else:
            self.settings[name] = value
        return f"||0:{number}[{status}]{told}\r\n" if self._full else told and f"{told}\r\n"

    def _cola(self, texts: list[str]) -> str:
        kind, name, value = texts
        if (kind, name) == ("sMN", "SetAccessMode"):
            self._open = value == "03 F4724744"
            return f"\x02sAN {name} {int(self._open)}\x03"
        if kind == "sMN":
            if name == "mEEwriteall":
                self.saved = dict(self.settings)
            self._open &= name != "Run"
            return f"\x02sAN {name} 1\x03"
        if name not in self.settings:
            return "\x02sFA 3\x03"
        if kind == "sRN":
            return f"\x02sRA {name} {self.settings[name]}\x03"
        if not self._open:
            return "\x02sFA 2\x03"
        self.settings[name] = value
        return f"\x02sWA {name}\x03"
