"""Making messages from values: the elements of `Bags` in the order of IATA RP1745.

What is written reads back the same: a value that would not (a slash in a name, a tag of nine
digits) is refused.
"""

from collections.abc import Iterator, Sequence

from aerocast_protocols.baggage.elements import (
    Bags,
    Leg,
    Processing,
    Reconciliation,
    Version,
    Weight,
)
from aerocast_protocols.baggage.meaning import Element
from aerocast_protocols.baggage.message import BagMessage, encode_message, parse_message
from aerocast_protocols.baggage.type_b import Envelope, write_heading
from aerocast_protocols.errors import ProtocolError

Field = str | int | None


def compose_message(
    kind: str,
    version: Version,
    bags: Sequence[Bags],
    *,
    secondary: str | None = None,
    envelope: Envelope | None = None,
    is_last_part: bool = True,
) -> BagMessage:
    """Make a message; `encode_message` gives its bytes.

    Parameters
    ----------
    kind
        BSM, BTM, ...
    bags
        One group, or several in a BTM or BMM.
    secondary
        CHG or DEL; of a BCM what it controls.
    envelope
        To send it over a Type B network.
    is_last_part
        False for a part (``version.part``) that others follow.

    Raises
    ------
    ProtocolError
        The message would not read back as what it was made of.
    """
    elements = list(_elements("V", _version(version)))
    before: Bags | None = None
    for each in bags:
        elements += _group(each, before)
        before = each
    message = BagMessage(
        kind=kind,
        secondary=secondary,
        elements=tuple(elements),
        ending=f"END{kind}" if is_last_part else f"ENDPART{version.part}",
        heading="" if envelope is None else write_heading(envelope),
        first_line=kind,
        secondary_line=secondary,
        tail="\r\n",
    )
    _check(message, version, tuple(bags), envelope)
    return message


def _check(
    message: BagMessage, version: Version, bags: tuple[Bags, ...], envelope: Envelope | None
) -> None:
    read = parse_message(encode_message(message))
    if read != message:
        raise ProtocolError(f"a {message.kind} of these values has no unambiguous text")
    if read.problems:
        raise ProtocolError(f"a value cannot be sent: {read.problems[0].reason}")
    if (read.version, read.bags, read.envelope) != (version, bags or (Bags(),), envelope):
        raise ProtocolError("a value would be read as another: blanks, lower case or a slash")


def _group(bags: Bags, before: Bags | None) -> Iterator[Element]:
    yield from _flights(bags, before)
    for tag in bags.tags:
        yield from _elements("N", [f"{tag.first}{tag.count:03d}"])
    yield from _person(bags)
    for processed in bags.processing:
        yield from _elements("J", _processing(processed))
    for screened in bags.screening:
        fields = [screened.instruction, screened.result, screened.reason, None]
        yield from _elements("X", [*fields, screened.screener, screened.method])
    for wrong in bags.irregularities:
        yield from _elements("B", [wrong.code, *wrong.details])
    yield from _place(bags)
    for text in bags.internal:
        yield from _elements("R", [text])


def _flights(bags: Bags, before: Bags | None) -> Iterator[Element]:
    """Write the flights; the inbound one holds in the next group."""
    differs = before is None or bags.inbound != before.inbound
    if bags.inbound is not None and differs:
        yield from _elements("I", _leg(bags.inbound))
    if bags.outbound is not None:
        yield from _elements("F", _leg(bags.outbound))


def _person(bags: Bags) -> Iterator[Element]:
    if bags.reconciliation is not None:
        yield from _elements("S", _reconciliation(bags.reconciliation))
    if bags.weight is not None:
        yield from _elements("W", _weight(bags.weight))
    for leg in bags.onward:
        yield from _elements("O", _leg(leg))
    for person in bags.passengers:
        yield from _elements("P", [f"{person.party or ''}{person.surname}", *person.given])
    for name, text in (("L", bags.pnr), ("Y", bags.frequent_traveller), ("C", bags.group_name)):
        if text is not None:
            yield from _elements(name, [text])
    for code in bags.exceptions:
        yield from _elements("E", [code])


def _place(bags: Bags) -> Iterator[Element]:
    if bags.handling is not None:
        where = bags.handling
        yield from _elements("H", [where.terminal, where.bay, where.gate])
    if bags.check_in:
        yield from _elements("D", bags.check_in)
    if bags.delivery:
        yield from _elements("G", bags.delivery)
    if bags.stowage is not None:
        stowed = bags.stowage
        yield from _elements("U", [stowed.device, stowed.compartment, *stowed.details])
    for name, text in (("Q", bags.load_sequence), ("T", bags.printer)):
        if text is not None:
            yield from _elements(name, [text])


def _elements(name: str, fields: Sequence[Field]) -> Iterator[Element]:
    """Write an element; empty fields at its end are left out."""
    texts = ["" if each is None else str(each) for each in fields]
    while len(texts) > 1 and not texts[-1]:
        texts.pop()
    yield Element(name, tuple("/".join(texts).split("/")))


def _version(version: Version) -> list[Field]:
    return [
        f"{version.number}{version.source}{version.station}",
        None if version.part is None else f"PART{version.part}",
        version.reference,
        "A" if version.wants_acknowledgement else None,
        version.key,
    ]


def _leg(leg: Leg) -> list[Field]:
    return [leg.flight, leg.date, leg.airport, leg.travel_class]


def _reconciliation(said: Reconciliation) -> list[Field]:
    yes_or_no = {True: "Y", False: "N", None: None}
    return [
        yes_or_no[said.authority_to_load],
        said.seat,
        said.passenger_status,
        said.sequence,
        said.security,
        said.profile,
        yes_or_no[said.authority_to_transport],
        said.tag_status,
    ]


def _weight(weight: Weight) -> list[Field]:
    return [weight.unit, weight.pieces, weight.checked, weight.unchecked]


def _processing(said: Processing) -> list[Field]:
    clock = None if said.time is None else said.time + (said.zone or "")
    return [said.code, said.agent, said.scanner, said.date, clock, *said.locations]
