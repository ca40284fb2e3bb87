"""Driver for WeatherFlow Tempest stations: their hub broadcasts on the local network."""

import asyncio

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_protocols.weather.tempest import PORT, decode_tempest

from aerocast_agent import clock
from aerocast_agent.driver import Accept, Fact, ProbeReport
from aerocast_agent.silence import heard_within
from aerocast_agent.weather_reports import TempestReports

SILENCE_LIMIT_S = 90.0  # the hub tells its own status every 10 s, a sensor its weather every minute
PROBE_FOR_S = 12.0


class TempestStation:
    """Hears what the stations of one network broadcast.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    listen, port
        Which address of the gateway to hear on; port 0 takes a free one.
    sensors
        Serial numbers of the sensors to believe; none named: all.

    Attributes
    ----------
    heard, refused
        Datagrams so far, and those that could not be read.
    bound_port, hearing
        Where it hears, while it does; and that it does.
    """

    def __init__(
        self,
        name: str,
        listen: str,
        port: int = PORT,
        sensors: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self._listen, self._port = listen, port
        self._sensors = frozenset(sensors)
        self.heard = self.refused = 0
        self.bound_port: int | None = None
        self.hearing = asyncio.Event()

    async def run(self, accept: Accept) -> None:
        """Hear until nothing is heard for too long (``TimeoutError``, ``OSError``)."""
        reports = TempestReports(self.name)
        waiting: asyncio.Queue[tuple[bytes, int]] = asyncio.Queue(1000)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Hearing(waiting), (self._listen, self._port)
        )
        try:
            self.bound_port = transport.get_extra_info("sockname")[1]
            self.hearing.set()
            is_told = False
            while True:
                datagram, boot_ns = await heard_within(SILENCE_LIMIT_S, self.name, waiting.get())
                self.heard += 1
                try:
                    messages = decode_tempest(datagram)
                except ProtocolError:  # a neighbour's mistake must not silence a station
                    self.refused += 1
                    continue
                if not is_told:
                    is_told = True
                    where = f"UDP port {self.bound_port}"
                    accept(
                        DeviceEvent(
                            device=self.name, boot_ns=boot_ns, event="connected", detail=where
                        )
                    )
                for message in messages:
                    if not self._sensors or message.sensor in self._sensors:
                        for observation in reports.hear(message, boot_ns):
                            accept(observation)
        finally:
            transport.close()
            self.bound_port = None
            self.hearing.clear()

    async def probe(self) -> ProbeReport:
        """Tell how much was heard; while nobody listens, listen for as long as a hub is silent."""
        if self.bound_port is None:
            listening = asyncio.create_task(self.run(lambda _: None))
            done, _ = await asyncio.wait({listening}, timeout=PROBE_FOR_S)
            listening.cancel()
            await asyncio.wait({listening})
            if done:
                listening.result()
        says: dict[str, Fact] = {"datagrams": self.heard, "unreadable": self.refused}
        return ProbeReport(says=says)


class _Hearing(asyncio.DatagramProtocol):
    """Puts datagrams in a queue, each with the moment it came."""

    def __init__(self, waiting: "asyncio.Queue[tuple[bytes, int]]") -> None:
        self._waiting = waiting

    def datagram_received(self, datagram: bytes, _sender: object) -> None:
        """Keep it; a flood loses its newest."""
        if not self._waiting.full():
            self._waiting.put_nowait((datagram, clock.boot_ns()))
