"""Baggage messages, loss-less: what cannot be read stays as sent; the same bytes are written."""

from functools import cached_property

import msgspec

from aerocast_protocols.baggage.elements import Bags, Version
from aerocast_protocols.baggage.meaning import Element, Meaning, Problem, read_meaning
from aerocast_protocols.baggage.type_b import Envelope, read_envelope
from aerocast_protocols.errors import ProtocolError

KINDS = frozenset({"BSM", "BTM", "BPM", "BUM", "BNS", "BCM", "BMM", "BRQ"})
"""Source, transfer, processed, unload, not seen, control, manifest messages, and requests."""

LONGEST_MESSAGE = 65_535
"""Bytes: what a packet of a BagMessage link holds. Type B networks carry about 3,800."""

LONGEST_HEADING = 4_096
MOST_ELEMENTS = 4_000
_NEED_TAGS = frozenset({"BSM", "BTM", "BPM", "BUM", "BNS", "BMM"})
_STATUS = frozenset({"CHG", "DEL"})
_FRAMING = "\x01\x02\x03 \t\r\n\x00"


class BagMessage(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A baggage message. Its elements are the truth; what they mean is read when asked for.

    Attributes
    ----------
    kind
        BSM source, BTM transfer, BPM processed, BUM unload, BNS not seen, BCM control, BMM
        manifest, BRQ request.
    secondary
        CHG changed, DEL withdrawn; of a BCM what it controls: FOM flight open, FCM flight closed.
    elements
        The lines between, in order.
    ending
        The last line, ``ENDBSM`` or ``ENDPART1``; None when the message was cut short.
    heading, tail
        What stands before the first line and from the end of the last one, as sent.
    first_line, secondary_line
        These lines as sent.
    line_end
        What parts lines.
    """

    kind: str
    secondary: str | None = None
    elements: tuple[Element, ...] = ()
    ending: str | None = None
    heading: str = ""
    tail: str = ""
    first_line: str = ""
    secondary_line: str | None = None
    line_end: str = "\r\n"

    def __repr__(self) -> str:
        """Tell what kind of message it is, nothing personal."""
        return f"BagMessage({self.kind!r}, {self.secondary!r}, elements={len(self.elements)})"

    @property
    def status(self) -> str | None:
        """CHG changed, DEL withdrawn, None new."""
        return self.secondary if self.secondary in _STATUS else None

    @property
    def control(self) -> str | None:
        """What a BCM controls: FOM, FCM, ..."""
        return self.secondary if self.kind == "BCM" else None

    @cached_property
    def envelope(self) -> Envelope | None:
        """Who sent it to whom, where it came with a Type B envelope."""
        return read_envelope(self.heading) if self.heading.strip(_FRAMING) else None

    @property
    def version(self) -> Version | None:
        """Where it comes from; None when ``.V`` is missing or wrong."""
        return self._meaning.version

    @property
    def bags(self) -> tuple[Bags, ...]:
        """What it says of bags: a group of each passenger; most messages have one."""
        return self._meaning.bags

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read."""
        return self._meaning.problems

    @property
    def plates(self) -> tuple[str, ...]:
        """Every licence plate it names, once."""
        if len(self.bags) == 1:
            return self.bags[0].plates
        return tuple(dict.fromkeys(plate for bags in self.bags for plate in bags.plates))

    @property
    def ends_as_it_began(self) -> bool:
        """Whether the last line fits the first and ``.V``; a message cut short does not."""
        version = self.version
        part = None if version is None else version.part
        ending = (self.ending or "").strip(_FRAMING).upper()
        return ending == f"END{self.kind}" or (part is not None and ending == f"ENDPART{part}")

    @property
    def is_last_part(self) -> bool:
        """Whether nothing more of this message follows."""
        return (self.ending or "").strip(_FRAMING).upper() == f"END{self.kind}"

    @cached_property
    def _meaning(self) -> Meaning:
        return read_meaning(self.kind, self.elements)


def parse_message(raw: bytes) -> BagMessage:
    """Read one message, alone or in its Type B envelope.

    Parameters
    ----------
    raw
        At most `LONGEST_MESSAGE` bytes. Lines end with CR LF, LF, or some of each; bytes beyond
        ASCII are kept.

    Raises
    ------
    ProtocolError
        It is no baggage message, is too long, names no tag where its kind must, or another
        message follows in the same bytes (`MessageBuffer` tells them apart).
    """
    if len(raw) > LONGEST_MESSAGE:
        raise ProtocolError(f"a message of {len(raw)} bytes is longer than {LONGEST_MESSAGE}")
    text = raw.decode("latin-1")
    newlines = text.count("\n")
    line_end = "\r\n" if newlines and text.count("\r\n") == newlines else "\n"
    lines = text.split(line_end)
    first, start, heading = _begin(lines, line_end)
    kind = first.strip(_FRAMING).upper()
    secondary, secondary_line = None, None
    if start < len(lines) and _is_secondary(lines[start], kind):
        secondary_line = lines[start]
        secondary = secondary_line.strip().upper()
        start += 1
    elements, ending, tail = _elements(lines, start, line_end)
    if kind in _NEED_TAGS and not any(each.name == "N" for each in elements):
        raise ProtocolError(f"a {kind} that names no tag")
    return BagMessage(
        kind=kind,
        secondary=secondary,
        elements=elements,
        ending=ending,
        heading=heading,
        tail=tail,
        first_line=first,
        secondary_line=secondary_line,
        line_end=line_end,
    )


def encode_message(message: BagMessage) -> bytes:
    """Write a message; one that was read gives the bytes it was read from.

    Raises
    ------
    ProtocolError
        A character is beyond the 256 of Latin-1.
    """
    lines = [message.first_line or message.kind]
    second = message.secondary_line or message.secondary
    if second is not None:
        lines.append(second)
    lines += map(str, message.elements)
    if message.ending is not None:
        lines.append(message.ending)
    text = message.heading + message.line_end.join(lines) + message.tail
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise ProtocolError(f"character {error.start} cannot be sent") from None


def is_kind_line(line: str) -> bool:
    """Say whether a line begins a baggage message: its kind and nothing else."""
    return line.strip(_FRAMING).upper() in KINDS


def _begin(lines: list[str], line_end: str) -> tuple[str, int, str]:
    """Give the line with the kind, the index after it, and the text before it."""
    if lines[0] in KINDS:
        return lines[0], 1, ""
    length = 0
    for index, line in enumerate(lines):
        if is_kind_line(line):
            heading = "".join(each + line_end for each in lines[:index])
            return line, index + 1, heading
        length += len(line)
        if length > LONGEST_HEADING or index > LONGEST_HEADING:
            break
    raise ProtocolError("no baggage message: no line says BSM, BTM, BPM, BUM, BNS, BCM, BMM or BRQ")


def _is_secondary(line: str, kind: str) -> bool:
    word = line.strip().upper()
    if word in _STATUS:
        return True
    return kind == "BCM" and len(word) == 3 and word.isascii() and word.isalpha() and word != "END"


def _elements(
    lines: list[str], start: int, line_end: str
) -> tuple[tuple[Element, ...], str | None, str]:
    """Give the elements, the last line, and the text from its end on."""
    elements: list[Element] = []
    for index in range(start, len(lines)):
        line = lines[index]
        if line[2:3] == "/" and line[0] == "." and line[1] not in " /":
            elements.append(Element(line[1], tuple(line[3:].split("/"))))
        elif line[:3].upper() == "END":
            rest = lines[index + 1 :]
            if any(map(is_kind_line, rest)):
                raise ProtocolError(f"another message follows after {len(elements)} elements")
            return tuple(elements), line, "".join(line_end + each for each in rest)
        elif is_kind_line(line):
            raise ProtocolError(f"another message begins after {len(elements)} elements")
        else:
            elements.append(Element("", (line,)))
    if len(elements) > MOST_ELEMENTS:
        raise ProtocolError(f"{len(elements)} lines are more than {MOST_ELEMENTS}")
    return tuple(elements), None, ""
