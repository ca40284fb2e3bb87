"""Driver for scanners that pass themselves off as USB keyboards."""

from aerocast_protocols.barcode.keyboard import KeyBuffer, Layout
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.event_device import EventDevice
from aerocast_agent.scans import PLAIN, ScanReports, ScanRules
from aerocast_agent.silence import heard_within


class HidScanner:
    """Reads codes from one scanner, and keeps what it types from everybody else.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    port
        Its input device: ``/dev/input/by-id/...-event-kbd``.
    layout
        The country the scanner is set to.
    """

    def __init__(
        self,
        name: str,
        port: str,
        rules: ScanRules = PLAIN,
        *,
        layout: Layout = "us",
    ) -> None:
        self.name = name
        self._port, self._rules = port, rules
        self._layout: Layout = layout

    async def run(self, accept: Accept) -> None:
        """Read until it is lost (``OSError``, ``ProtocolError``)."""
        reports = ScanReports(self.name, self._rules)
        keys, limit_s = KeyBuffer(self._layout), self._rules.silence_limit_s
        async with EventDevice(self._port) as device:
            accept(
                DeviceEvent(
                    device=self.name, boot_ns=clock.boot_ns(), event="connected", detail=self._port
                )
            )
            while True:
                keys.feed(await heard_within(limit_s, self.name, device.read()))
                seen_ns = clock.boot_ns()
                for text in keys.scans():
                    observation = reports.observe(text, seen_ns)
                    if observation is not None:
                        accept(observation)
