"""From what a scanner sends to what a gateway reports: scans and no-reads."""

from collections.abc import Iterator

from aerocast_protocols.barcode.content import recognise
from aerocast_protocols.barcode.framing import Framing, ScanBuffer
from aerocast_protocols.observations import CodeScan, CustodyPoint, NoRead


class ScanReports:
    """Turns a scanner's bytes into observations; heartbeats give none.

    Parameters
    ----------
    device
        The scanner's name.
    framing
        How the scanner ends a text.
    no_read, heartbeat
        What it sends for a bag it could not read, and to show that it is alive.
    point, belt
        Where it stands, when the configuration says.
    """

    def __init__(
        self,
        device: str,
        *,
        framing: Framing = "auto",
        no_read: str | None = "NoRead",
        heartbeat: str | None = None,
        point: CustodyPoint | None = None,
        belt: str | None = None,
    ) -> None:
        self._device = device
        self._buffer = ScanBuffer(framing)
        self._no_read, self._heartbeat = no_read, heartbeat
        self._point, self._belt = point, belt

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
        scan = recognise(text, self._no_read, self._heartbeat)
        if scan is None:
            return None
        if scan.content == "no_read":
            return NoRead(device=self._device, boot_ns=boot_ns, point=self._point, belt=self._belt)
        return CodeScan(
            device=self._device,
            boot_ns=boot_ns,
            content=scan.content,
            symbology=scan.symbology,
            licence_plate=scan.licence_plate,
            text=scan.text,
            point=self._point,
            belt=self._belt,
        )
