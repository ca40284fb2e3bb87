"""The Type B envelope around a baggage message: who sends it to whom, when, how urgently.

``QU LONRM1J`` names a priority and addresses of seven characters, ``.LHRRMBA 121430`` the sender,
and the day of the month with the time, UTC. SOH may stand before, STX after, ETX behind the text.
"""

import re

import msgspec

from aerocast_protocols.errors import ProtocolError

MOST_ADDRESSES = 32

_address = re.compile(r"[A-Z0-9]{7}").fullmatch
_sent = re.compile(r"(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])[0-5][0-9]").fullmatch
_PRIORITIES = frozenset({"QC", "QD", "QK", "QN", "QP", "QS", "QU", "QX"})
_FRAMING = "\x01\x02\x03 \t\r\n"


class Envelope(msgspec.Struct, frozen=True):
    """Who sends a message to whom.

    Attributes
    ----------
    priority
        QU urgent, QK, QN normal, QD deferred ...; None when there was no line of addresses.
    to
        Addresses of seven characters.
    sender
        Address of the sender; None when there was no line of origin.
    sent
        ``DDHHMM``, UTC.
    remarks
        What else the line of origin says, usually the sender's number for the message.
    """

    priority: str | None = None
    to: tuple[str, ...] = ()
    sender: str | None = None
    sent: str | None = None
    remarks: tuple[str, ...] = ()


def read_envelope(heading: str) -> Envelope | None:
    """Read what stands before a message; None when that is no envelope.

    Lines some networks put before it are skipped.
    """
    priority = sender = sent = None
    to: list[str] = []
    remarks: tuple[str, ...] = ()
    for line in heading.splitlines():
        words = line.strip(_FRAMING).upper().split()
        if not words or sender is not None:
            continue
        if words[0] in _PRIORITIES and priority is None:
            priority = words[0]
            to += filter(_address, words[1:])
        elif words[0].startswith("."):
            if _address(words[0][1:]):
                sender = words[0][1:]
                sent = words[1] if len(words) > 1 and _sent(words[1]) else None
                remarks = tuple(words[2:] if sent else words[1:])
        elif priority is not None:  # addresses take several lines
            to += filter(_address, words)
    if priority is None and sender is None:
        return None
    return Envelope(priority, tuple(to[:MOST_ADDRESSES]), sender, sent, remarks)


def is_address_line(line: str) -> bool:
    """Say whether a line begins an envelope: a priority and an address."""
    words = line.strip(_FRAMING).upper().split(maxsplit=2)
    return len(words) > 1 and words[0] in _PRIORITIES and bool(_address(words[1]))


def is_origin_line(line: str) -> bool:
    """Say whether a line names the sender."""
    words = line.strip(_FRAMING).upper().split(maxsplit=1)
    return bool(words) and words[0][0] == "." and bool(_address(words[0][1:]))


def write_heading(envelope: Envelope, line_end: str = "\r\n") -> str:
    """Write an envelope as it stands before a message; eight addresses a line.

    Raises
    ------
    ProtocolError
        An address, the priority or the time is not as Type B wants it.
    """
    if envelope.priority not in _PRIORITIES:
        raise ProtocolError(f"priority {envelope.priority!r} is none")
    if not 1 <= len(envelope.to) <= MOST_ADDRESSES:
        raise ProtocolError(f"{len(envelope.to)} addresses, not 1 to {MOST_ADDRESSES}")
    for address in (*envelope.to, envelope.sender or ""):
        if not _address(address):
            raise ProtocolError(f"address {address[:12]!r} has not seven letters and digits")
    if envelope.sent is not None and not _sent(envelope.sent):
        raise ProtocolError(f"{envelope.sent[:12]!r} is no day and time")
    lines = [" ".join(envelope.to[index : index + 8]) for index in range(0, len(envelope.to), 8)]
    origin = filter(None, (f".{envelope.sender}", envelope.sent, *envelope.remarks))
    return line_end.join([f"{envelope.priority} {lines[0]}", *lines[1:], " ".join(origin), ""])
