"""A TCP connection of a scanner, whichever side made it."""

import asyncio

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.scans import ScanReports, ScanRules
from aerocast_agent.silence import heard_within

_PIECE = 4096


async def read_scans(
    name: str, reader: asyncio.StreamReader, rules: ScanRules, accept: Accept
) -> None:
    """Hand in what a scanner sends until it is lost.

    Raises
    ------
    OSError, TimeoutError
        It closed the connection, is gone, or missed its heartbeats.
    ProtocolError
        It sends no end of text.
    """
    reports = ScanReports(name, rules)
    while True:
        received = await heard_within(rules.silence_limit_s, name, reader.read(_PIECE))
        if not received:
            raise ConnectionResetError(f"{name} closed the connection")
        for observation in reports.feed(received, clock.boot_ns()):
            accept(observation)
