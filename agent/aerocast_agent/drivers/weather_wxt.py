"""Driver for Vaisala WXT510, 520 and 530 weather transmitters on a serial line, in ASCII mode."""

import asyncio

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_protocols.weather.wxt import WxtBuffer, WxtMessage, decode_wxt, poll

from aerocast_agent.driver import Accept, Fact, Fault, ProbeReport
from aerocast_agent.serial_port import SerialPort
from aerocast_agent.silence import heard_within
from aerocast_agent.weather_reports import WxtReports

MOST_SILENT_POLLS = 6
SILENCE_LIMIT_S = 120.0  # of one that sends by itself, as a rule every second to every minute
PROBE_FOR_S = 5.0


class WxtTransmitter:
    """Reads weather from one transmitter.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    port, baud
        Where it is plugged in, and its bits a second.
    address
        The transmitter's own, one letter or digit.
    poll_every_s
        How often it is asked for all it measures; 0: it sends by itself.

    Attributes
    ----------
    refused
        Lines so far that were damaged.
    """

    def __init__(
        self,
        name: str,
        port: str,
        baud: int = 19200,
        address: str = "0",
        poll_every_s: float = 10.0,
    ) -> None:
        self.name = name
        self._port, self._baud = port, baud
        self._address, self._poll_every_s = address, poll_every_s
        self._last: WxtMessage | None = None
        self._running = False
        self.refused = 0

    async def run(self, accept: Accept) -> None:
        """Read until it is lost or silent (``OSError``, ``TimeoutError``)."""
        reports, buffer = WxtReports(self.name), WxtBuffer()
        limit_s = self._poll_every_s * MOST_SILENT_POLLS or SILENCE_LIMIT_S
        async with SerialPort(self._port, self._baud) as port:
            self._running, self._last = True, None
            asking = asyncio.create_task(self._ask(port))
            try:
                while True:
                    received = await heard_within(limit_s, self.name, self._read(port, asking))
                    buffer.feed(received[0])
                    for line in buffer.lines():
                        self._hear(line, received[1], reports, accept)
            finally:
                self._running = False
                asking.cancel()
                await asyncio.wait({asking})

    def _hear(self, line: bytes, boot_ns: int, reports: WxtReports, accept: Accept) -> None:
        try:
            message = decode_wxt(line)
        except ProtocolError:  # noise on the line: the next answer is seconds away
            self.refused += 1
            return
        if message is None or message.address != self._address:
            return
        if self._last is None:
            accept(
                DeviceEvent(device=self.name, boot_ns=boot_ns, event="connected", detail=self._port)
            )
        self._last = message
        measured = reports.hear(message, boot_ns)
        if measured is not None:
            accept(measured)

    async def _read(self, port: SerialPort, asking: "asyncio.Task[None]") -> tuple[bytes, int]:
        if asking.done():
            asking.result()
        received = await port.read()
        return received.content, received.boot_ns

    async def _ask(self, port: SerialPort) -> None:
        while self._poll_every_s:
            await port.write(poll(self._address))
            await asyncio.sleep(self._poll_every_s)

    async def probe(self) -> ProbeReport:
        """Tell what it measures now, and what it marks as not valid."""
        if not self._running:
            reading = asyncio.create_task(self.run(lambda _: None))
            done, _ = await asyncio.wait({reading}, timeout=PROBE_FOR_S)
            reading.cancel()
            await asyncio.wait({reading})
            if done:
                reading.result()
        last = self._last
        if last is None:
            mend = "correct baud and address in agent.toml, or set it to ASCII: 0XU,M=P"
            return ProbeReport(faults=(Fault(found="it sends no weather", mend=mend),))
        says: dict[str, Fact] = {
            name: value
            for name in WxtMessage.__struct_fields__
            if isinstance(value := getattr(last, name), int | float | str)
        }
        says["damaged_lines"] = self.refused
        faults = tuple(
            Fault(found=f"{name} is not valid", mend="clean the transmitter, and see its supply")
            for name in last.invalid
        )
        return ProbeReport(says=says, faults=faults)
