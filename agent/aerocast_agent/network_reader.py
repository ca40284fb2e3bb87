"""What drivers of readers that tell of tags in JSON have in common."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.network_readers.reports import (
    AntennaReport,
    InputReport,
    InventoryReport,
    Report,
    TagReport,
)
from aerocast_protocols.observations.bags import GpioEdge, TagRead
from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent.driver import Accept

log = logging.getLogger(__name__)

Maker = Literal["impinj", "zebra"]
Decode = Callable[[bytes], list[Report]]


class Access(NamedTuple):
    """How to be let in, and whom to trust; all of it may be absent."""

    user: str | None = None
    password: str | None = None
    ca: str | None = None


def read_password(file: str | None) -> str | None:
    """Give the first line of a file (``OSError``)."""
    if file is None:
        return None
    return (Path(file).read_text(encoding="utf-8").splitlines() or [""])[0]


class Reports:
    """Hands in what messages report; one that cannot be read is passed over and counted.

    Attributes
    ----------
    refused
        Messages so far that could not be read.
    status
        What the reader said last of its inventory.
    """

    def __init__(self, name: str, decode: Decode, accept: Accept) -> None:
        self.refused = 0
        self.status: str | None = None
        self._name = name
        self._decode = decode
        self._accept = accept

    def take(self, message: bytes, boot_ns: int) -> None:
        """Take a message that arrived at ``boot_ns``."""
        try:
            reports = self._decode(message)
        except ProtocolError as error:
            self.refused += 1
            if self.refused == 1:
                log.warning("%s: passed over: %s", self._name, error)
            return
        for report in reports:
            self._take(report, boot_ns)

    def _take(self, report: Report, boot_ns: int) -> None:
        if isinstance(report, InventoryReport):
            if report.status != self.status:
                self.status = report.status
                log.info("%s: its inventory is %s", self._name, report.status)
            return
        self._accept(self._observation(report, boot_ns))

    def _observation(self, report: Report, boot_ns: int) -> Observation:
        device = self._name
        match report:
            case TagReport():
                return TagRead(
                    device=device,
                    boot_ns=boot_ns,
                    epc=report.epc,
                    antenna=report.antenna or 0,
                    pc=report.pc,
                    rssi_dbm=report.rssi_dbm,
                    phase_deg=report.phase_deg,
                    reader_seen_at_us=report.seen_at_us,
                    seen_count=report.seen_count,
                )
            case InputReport(pin=pin, level=level):
                return GpioEdge(device=device, boot_ns=boot_ns, pin=pin, level=level)
            case AntennaReport(antenna=antenna, connected=connected):
                return DeviceEvent(
                    device=device,
                    boot_ns=boot_ns,
                    event="antenna_connected" if connected else "antenna_disconnected",
                    detail=f"antenna {antenna}",
                    antenna=antenna,
                )
            case _:
                return DeviceEvent(
                    device=device,
                    boot_ns=boot_ns,
                    event="overflow",
                    detail="the reader's buffer overflowed: reads are lost",
                )


def decoder(maker: Maker) -> Decode:
    """Give what reads the messages of a maker's readers."""
    if maker == "impinj":
        from aerocast_protocols.network_readers import impinj  # noqa: PLC0415  only if configured

        return impinj.decode_events
    from aerocast_protocols.network_readers import zebra  # noqa: PLC0415  only if configured

    return zebra.decode_events
