"""Ask a barcode scanner for its settings and write them, over the line its scans come on.

Three makers' commands, as in their manuals: Honeywell menu commands (Voyager 1250g user's guide,
"Serial Programming Commands"); Cognex DataMan Control Commands (DMCC overview) in extended
responses; SICK CoLa A (SOPAS command language, text). Scans may come in between: what is no answer
is passed over.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from aerocast_protocols.errors import ProtocolError

Dialect = Literal["honeywell", "dmcc", "cola_a"]

LONGEST_ANSWER = 4096  # ours, in bytes

_NAME = re.compile(r"[A-Za-z0-9._ -]{1,64}\Z", re.ASCII)
_VALUE = re.compile(r"[ -~]{0,64}\Z", re.ASCII)
_HONEYWELL_NAME = re.compile(r"[A-Za-z0-9]{6}\Z", re.ASCII)  # tag and subtag
_HONEYWELL = re.compile(rb"([A-Za-z0-9]{6})([ -~]*?)([\x05\x06\x15])[.!]?")
_HONEYWELL_WORDS = {0x05: "it has no such setting", 0x15: "the value is out of range"}
_DMCC = re.compile(rb"\|\|\d*:?(\d*)\[(\d+)\]([^\r\n]*)\r\n")
_DMCC_WORDS = {
    101: "it has no such command",
    102: "it has no such setting",
    104: "rejected in its present state",
}
_COLA = re.compile(rb"\x02([^\x02\x03]*)\x03")
# SICK's published password of user level 3, "authorised client".
_COLA_LOGIN = b"sMN SetAccessMode 03 F4724744"


class Answer(NamedTuple):
    """What a scanner said to one command.

    Attributes
    ----------
    value
        What it gave; "" where it only says that it is done.
    error
        Why it refused, in our words; None when it did not.
    name
        Of the setting, where the maker's answers say it.
    """

    value: str
    error: str | None = None
    name: str | None = None


def encode_opening(dialect: Dialect) -> list[bytes]:
    """Give the commands to send before others, each of which is answered."""
    if dialect == "dmcc":
        return [b"||0:1>SET COM.DMCC-RESPONSE 1\r\n"]  # in full from now on
    return [_cola(_COLA_LOGIN)] if dialect == "cola_a" else []


def encode_closing(dialect: Dialect, *, written: bool) -> list[bytes]:
    """Give the commands to send at the end, each of which is answered: keep for ever, go on."""
    if dialect == "dmcc":
        return [b"||0:1>CONFIG.SAVE\r\n"] if written else []
    if dialect == "cola_a":
        return [_cola(b"sMN mEEwriteall")] * written + [_cola(b"sMN Run")]
    return []  # Honeywell's commands end in a full stop: kept at once


def encode_ask(dialect: Dialect, name: str) -> bytes:
    """Ask for a setting.

    Raises
    ------
    ValueError
        No setting of this maker can be called so.
    """
    _check(dialect, name, "")
    if dialect == "honeywell":
        return b"\x16M\r%b?." % name.upper().encode()
    if dialect == "dmcc":
        return b"||0:1>GET %b\r\n" % name.encode()
    return _cola(b"sRN %b" % name.encode())


def encode_set(dialect: Dialect, name: str, value: str) -> bytes:
    """Write a setting.

    Raises
    ------
    ValueError
        No setting of this maker can be called so, or be set to this.
    """
    _check(dialect, name, value)
    if dialect == "honeywell":
        return b"\x16M\r%b%b." % (name.upper().encode(), value.encode())
    if dialect == "dmcc":
        return b"||0:1>SET %b %b\r\n" % (name.encode(), value.encode())
    return _cola(b"sWN %b %b" % (name.encode(), value.encode()))


class AnswerBuffer:
    """Collects bytes as they arrive and gives out whole answers.

    No port, no clock: feed it from anywhere, in pieces of any size.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect: Dialect = dialect
        self._received = bytearray()

    def feed(self, received: bytes) -> None:
        """Add bytes read from the scanner."""
        self._received += received

    def answers(self) -> Iterator[Answer]:
        """Give out every answer received whole, oldest first.

        Raises
        ------
        ProtocolError
            No answer ended within ``LONGEST_ANSWER`` bytes. What was received is thrown away.
        """
        read, pattern = _READERS[self._dialect]
        while found := pattern.search(self._received):
            answer = read(found)
            del self._received[: found.end()]
            if answer is not None:
                yield answer
        if len(self._received) > LONGEST_ANSWER:
            self._received.clear()
            raise ProtocolError(f"scanner sent {LONGEST_ANSWER} bytes and no answer")


def _check(dialect: Dialect, name: str, value: str) -> None:
    pattern = _HONEYWELL_NAME if dialect == "honeywell" else _NAME
    if pattern.match(name) is None or _VALUE.match(value) is None:
        raise ValueError(f"{dialect}: {name!r} = {value!r} cannot be a setting")


def _cola(text: bytes) -> bytes:
    return b"\x02%b\x03" % text


def _honeywell(found: re.Match[bytes]) -> Answer:
    status = found[3][0]
    name, value = (found[group].decode("ascii") for group in (1, 2))
    return Answer(value, _HONEYWELL_WORDS.get(status), name.upper())


def _dmcc(found: re.Match[bytes]) -> Answer | None:
    status = int(found[2][:9])
    if status == 1:  # a code it read meanwhile
        return None
    error = None if status == 0 else _DMCC_WORDS.get(status, f"error {status}")
    return Answer(found[3].decode("ascii", "replace").strip(), error)


def _cola_answer(found: re.Match[bytes]) -> Answer | None:
    kind, _, rest = found[1].decode("ascii", "replace").partition(" ")
    name, _, value = rest.partition(" ")
    if kind == "sFA":
        return Answer("", f"error {rest}")
    if kind == "sAN":
        return Answer(value, None if value != "0" else f"{name} refused", name)
    return Answer(value, name=name) if kind in {"sRA", "sWA"} else None


_READERS = {
    "honeywell": (_honeywell, _HONEYWELL),
    "dmcc": (_dmcc, _DMCC),
    "cola_a": (_cola_answer, _COLA),
}
