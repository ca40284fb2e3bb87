r'''Baggage messages: what airlines and airports tell each other about bags (IATA RP1745).

Read a message; it may come in its Type B envelope:

>>> from aerocast_protocols.baggage import parse_message, encode_message
>>> raw = b"""BSM
... .V/1TZRH
... .F/SR101/18APR/JFK/F
... .N/0085123456002
... .S/Y/10A/C/021
... .P/DOE/JANE
... .W/K/2/31
... .E/PRIO
... ENDBSM"""
>>> message = parse_message(raw)
>>> message.kind, message.status, message.version.station
('BSM', None, 'ZRH')
>>> message.plates
('0085123456', '0085123457')
>>> bags = message.bags[0]                    # BTM and BMM have one group of each passenger
>>> bags.outbound.flight, bags.outbound.date, bags.outbound.airport
('SR101', '18APR', 'JFK')
>>> bags.reconciliation.authority_to_load, bags.weight.checked, bags.exceptions
(True, 31, ('PRIO',))

Messages carry no year; the day they were received tells it:

>>> import datetime
>>> bags.outbound.on(received=datetime.date(2026, 4, 17))
datetime.date(2026, 4, 18)

Nothing is lost: a message that was read writes the same bytes, and a line that cannot be read costs
no other line.

>>> encode_message(message) == raw
True
>>> damaged = parse_message(raw.replace(b"SR101", b"?"))
>>> damaged.problems, damaged.plates
((Problem(element=1, name='F', reason="'?' is no flight"),), ('0085123456', '0085123457'))

Write one:

>>> from aerocast_protocols.baggage import Bags, Leg, TagRange, Version, compose_message
>>> said = Bags(outbound=Leg("SR", "101", "18APR", "JFK"), tags=(TagRange("0085123456"),))
>>> encode_message(compose_message("BSM", Version("T", "ZRH"), [said], secondary="DEL"))
b'BSM\r\nDEL\r\n.V/1TZRH\r\n.F/SR101/18APR/JFK\r\n.N/0085123456001\r\nENDBSM\r\n'

Files and streams hold many messages; `MessageBuffer` tells them apart. A message in parts is read
part by part, or with `bags_of_parts`, where a flight holds until the next part names its own.

What is no baggage message raises `ProtocolError`, and nothing ever raises anything else. Names and
booking references show in no ``repr``.
'''

from aerocast_protocols.baggage.elements import (
    Bags,
    Handling,
    Irregularity,
    Leg,
    Passenger,
    Processing,
    Reconciliation,
    Screening,
    Stowage,
    TagRange,
    Version,
    Weight,
    nearest_date,
)
from aerocast_protocols.baggage.framing import MessageBuffer
from aerocast_protocols.baggage.meaning import Element, Problem
from aerocast_protocols.baggage.message import BagMessage, encode_message, parse_message
from aerocast_protocols.baggage.parts import are_whole, bags_of_parts
from aerocast_protocols.baggage.type_b import Envelope
from aerocast_protocols.baggage.writing import compose_message

__all__ = [
    "BagMessage",
    "Bags",
    "Element",
    "Envelope",
    "Handling",
    "Irregularity",
    "Leg",
    "MessageBuffer",
    "Passenger",
    "Problem",
    "Processing",
    "Reconciliation",
    "Screening",
    "Stowage",
    "TagRange",
    "Version",
    "Weight",
    "are_whole",
    "bags_of_parts",
    "compose_message",
    "encode_message",
    "nearest_date",
    "parse_message",
]
