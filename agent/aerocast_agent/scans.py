"""From what a scanner sends to what a gateway reports: scans and no-reads."""

from collections.abc import Iterator
from typing import NamedTuple

from aerocast_protocols.barcode.content import recognise
from aerocast_protocols.barcode.framing import Framing, ScanBuffer
from aerocast_protocols.observations.bags import CodeScan, CustodyPoint, NoRead

# So many heartbeats' time without a byte, and a scanner counts as lost.
MISSED_HEARTBEATS = 2.5


class ScanRules(NamedTuple):
    """How to read what a scanner sends, as agent.toml says it.

    Attributes
    ----------
    framing
        How the scanner ends a text.
    no_read, heartbeat
        What it sends for a bag it could not read, and to show that it is alive.
    heartbeat_s
        How often it sends that at least: silent for ``MISSED_HEARTBEATS`` times as long, it is
        lost. None: it may be silent for ever.
    point, belt
        Where it stands, when the configuration says.
    """

    framing: Framing = "auto"
    no_read: str | None = "NoRead"
    heartbeat: str | None = None
    heartbeat_s: float | None = None
    point: CustodyPoint | None = None
    belt: str | None = None

    @property
    def silence_limit_s(self) -> float | None:
        """Give for how long the scanner may be silent; None is for ever."""
        return None if self.heartbeat_s is None else self.heartbeat_s * MISSED_HEARTBEATS


PLAIN = ScanRules()


class ScanReports:
    """Turns a scanner's bytes into observations; heartbeats give none."""

    def __init__(self, device: str, rules: ScanRules = PLAIN) -> None:
        self._device = device
        self._buffer = ScanBuffer(rules.framing)
        self._rules = rules

    def feed(self, received: bytes, boot_ns: int) -> Iterator[CodeScan | NoRead]:
        """Take bytes read at ``boot_ns``; give what they completed.

        Raises
        ------
        ProtocolError
            The scanner sends no end of text.
        """
        self._buffer.feed(received)
        for text in self._buffer.scans():
            observation = self.observe(text, boot_ns)
            if observation is not None:
                yield observation

    def observe(self, text: str, boot_ns: int) -> CodeScan | NoRead | None:
        """Give what one text says; None for a heartbeat."""
        rules = self._rules
        scan = recognise(text, rules.no_read, rules.heartbeat)
        if scan is None:
            return None
        if scan.content == "no_read":
            return NoRead(device=self._device, boot_ns=boot_ns, point=rules.point, belt=rules.belt)
        return CodeScan(
            device=self._device,
            boot_ns=boot_ns,
            content=scan.content,
            symbology=scan.symbology,
            licence_plate=scan.licence_plate,
            text=scan.text,
            point=rules.point,
            belt=rules.belt,
            legs=scan.legs,
            bag_tags=scan.bag_tags,
            bag_uuid=scan.bag_uuid,
            problem=scan.problem,
        )
