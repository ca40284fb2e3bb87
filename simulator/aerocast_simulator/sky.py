"""The simulated sky: flights that transmit, and a receiver that serves them as Beast frames."""

import asyncio
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from aerocast_protocols.modes import encode
from aerocast_protocols.modes.beast import HEARTBEAT, TICKS_PER_S, encode_beast
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import indicated_airspeed_kt

from aerocast_simulator.flight import (
    Air,
    Arrival,
    GroundPath,
    Motion,
    Overflight,
    mach_of,
)

# The rates of real transponders: 2 positions and 2 velocities a second in flight,
# an identification each 5 s; standing on the ground a position each 5 s and a name each 10 s.
POSITION_S = VELOCITY_S = 0.5
IDENTIFICATION_S, STANDING_IDENTIFICATION_S = 5.0, 10.0
STANDING_POSITIONS = 10  # every tenth position slot
ALL_CALL_S = 1.0
COMM_B_S = 1.0  # interrogated about once a second
STANDING_KT = 0.1
SLICE_S = 0.1  # how often the receiver sends what it heard
HEARTBEAT_S = 60.0
SLOWEST_CLIENT_BYTES = 1 << 20  # a client that lets so much pile up is dropped


class Transmission(NamedTuple):
    """A frame and when it is sent, seconds since the simulation's start."""

    second: float
    frame: bytes


class Course(Protocol):
    """How an aircraft moves."""

    def at(self, second: float) -> Motion:
        """Give where it is."""


class Flight:
    """An aircraft that transmits while it moves.

    Parameters
    ----------
    icao, callsign, squawk
        Who it says it is: six hex digits, up to eight characters, four octal digits.
    course
        How it moves.
    air
        What it flies through, for what it says of its own airspeed and heading.
    starts_s, silent_from_s
        When its transponder is heard first and last.
    heading_bias_deg
        How far its compass is off.
    """

    def __init__(  # noqa: PLR0913 - a flight is that many facts
        self,
        icao: str,
        callsign: str,
        course: Course,
        air: Air,
        *,
        starts_s: float,
        silent_from_s: float,
        squawk: str = "1000",
        heading_bias_deg: float = 0.0,
    ) -> None:
        self.icao = icao.lower()
        self.callsign = callsign
        self.squawk = squawk
        self.course = course
        self.starts_s = starts_s
        self.silent_from_s = silent_from_s
        self._air = air
        self._heading_bias_deg = heading_bias_deg
        # Transponders keep no step with each other.
        self._phase_s = (int(icao, 16) * 0.618034) % 1.0

    @classmethod
    def arrival(  # noqa: PLR0913 - a flight is that many facts
        cls,
        icao: str,
        callsign: str,
        path: GroundPath,
        air: Air,
        *,
        starts_s: float = 0.0,
        lands_s: float = 6.0,
        parked_by_s: float = 24.0,
        silent_after_s: float = 45.0,
        squawk: str = "1000",
        elevation_ft: float = 500.0,
    ) -> "Flight":
        """Make a flight that is on approach at ``starts_s``, lands, taxies and parks.

        Parameters
        ----------
        silent_after_s
            How long after parking its transponder is switched off.

        Raises
        ------
        ValueError
            The way on the ground does not fit the time.
        """
        course = Arrival(
            path, air, lands_s=lands_s, parked_by_s=parked_by_s, elevation_ft=elevation_ft
        )
        silent_from_s = parked_by_s + silent_after_s
        return cls(
            icao,
            callsign,
            course,
            air,
            starts_s=starts_s,
            silent_from_s=silent_from_s,
            squawk=squawk,
        )

    @classmethod
    def overflight(  # noqa: PLR0913 - a flight is that many facts
        cls,
        icao: str,
        callsign: str,
        position: Position,
        air: Air,
        *,
        true_heading_deg: float,
        true_airspeed_kt: float,
        altitude_ft: float,
        starts_s: float = 0.0,
        ends_s: float = 600.0,
        squawk: str = "2000",
        heading_bias_deg: float = 0.0,
    ) -> "Flight":
        """Make a flight that passes level overhead: at ``position`` at second 0."""
        course = Overflight(
            position,
            air,
            true_heading_deg=true_heading_deg,
            true_airspeed_kt=true_airspeed_kt,
            altitude_ft=altitude_ft,
        )
        return cls(
            icao,
            callsign,
            course,
            air,
            starts_s=starts_s,
            silent_from_s=ends_s,
            squawk=squawk,
            heading_bias_deg=heading_bias_deg,
        )

    def transmissions(self, from_s: float, to_s: float) -> list[Transmission]:
        """Give what it sends in [from_s, to_s), in order."""
        from_s, to_s = max(from_s, self.starts_s), min(to_s, self.silent_from_s)
        sent: list[Transmission] = []
        for index, second in self._slots(POSITION_S, 0.0, from_s, to_s):
            sent += self._position(index, second)
        for _, second in self._slots(VELOCITY_S, 0.21, from_s, to_s):
            sent += self._velocity(second)
        for index, second in self._slots(IDENTIFICATION_S, 0.33, from_s, to_s):
            sent += self._identification(index, second)
        for _, second in self._slots(ALL_CALL_S, 0.47, from_s, to_s):
            sent.append(Transmission(second, encode.encode_all_call(self._sender(second))))
        for index, second in self._slots(COMM_B_S, 0.09, from_s, to_s):
            sent += self._comm_b(index, second)
        return sorted(sent)

    def _slots(
        self, period_s: float, offset_s: float, from_s: float, to_s: float
    ) -> Iterator[tuple[int, float]]:
        offset_s = (offset_s + self._phase_s) % period_s
        index = math.ceil((from_s - offset_s) / period_s)
        while (second := index * period_s + offset_s) < to_s:
            yield index, second
            index += 1

    def _sender(self, second: float) -> encode.Sender:
        return encode.Sender(self.icao, self.course.at(second).on_ground)

    def _position(self, index: int, second: float) -> Iterator[Transmission]:
        motion, sender = self.course.at(second), self._sender(second)
        if not motion.on_ground:
            frame = encode.encode_airborne_position(
                sender, motion.position, motion.altitude_ft, odd=bool(index % 2)
            )
        else:
            if motion.ground_speed_kt < STANDING_KT:
                index, skipped = divmod(index, STANDING_POSITIONS)
                if skipped:
                    return
            frame = encode.encode_surface_position(
                sender,
                motion.position,
                motion.ground_speed_kt,
                motion.track_deg,
                odd=bool(index % 2),
            )
        yield Transmission(second, frame)

    def _velocity(self, second: float) -> Iterator[Transmission]:
        motion = self.course.at(second)
        if motion.on_ground:
            return
        track = math.radians(motion.track_deg)
        frame = encode.encode_velocity(
            self._sender(second),
            motion.ground_speed_kt * math.sin(track),
            motion.ground_speed_kt * math.cos(track),
            motion.vertical_rate_fpm,
        )
        yield Transmission(second, frame)

    def _identification(self, index: int, second: float) -> Iterator[Transmission]:
        motion = self.course.at(second)
        stands = motion.on_ground and motion.ground_speed_kt < STANDING_KT
        if not stands or index % round(STANDING_IDENTIFICATION_S / IDENTIFICATION_S) == 0:
            yield Transmission(
                second, encode.encode_identification(self._sender(second), self.callsign)
            )

    def _comm_b(self, index: int, second: float) -> Iterator[Transmission]:
        """Answer 6,0 and 5,0 in turn, with altitude and squawk in turn."""
        motion, sender = self.course.at(second), self._sender(second)
        if motion.on_ground:
            return
        register = self._register_60(motion) if index % 2 else _register_50(motion)
        if index // 2 % 2:
            frame = encode.encode_identity_reply(sender, self.squawk, register)
        else:
            frame = encode.encode_altitude_reply(sender, motion.altitude_ft, register)
        yield Transmission(second, frame)

    def _register_60(self, motion: Motion) -> int:
        mach = mach_of(motion.true_airspeed_kt, self._air.at(motion.altitude_ft).temperature_c)
        return encode.register_60(
            magnetic_heading_deg=motion.true_heading_deg
            - self._air.declination_at(motion.position)
            + self._heading_bias_deg,
            indicated_airspeed_kt=indicated_airspeed_kt(mach, motion.altitude_ft),
            mach=mach,
            vertical_rate_fpm=motion.vertical_rate_fpm,
        )


def _register_50(motion: Motion) -> int:
    return encode.register_50(
        roll_deg=motion.roll_deg,
        true_track_deg=motion.track_deg,
        ground_speed_kt=motion.ground_speed_kt,
        track_rate_deg_s=0.0,
        true_airspeed_kt=motion.true_airspeed_kt,
    )


class BeastServer:
    """A receiver that hears the flights, served to any number of clients.

    Parameters
    ----------
    flights
        What flies; `add` brings more.
    speed
        Simulated seconds a second.

    Attributes
    ----------
    port
        Where it listens once started.
    """

    def __init__(self, flights: Iterable[Flight] = (), *, speed: float = 1.0) -> None:
        self.port = 0
        self._flights = list(flights)
        self._speed = speed
        self._clients: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._sending: asyncio.Task[None] | None = None
        self._started_s = 0.0

    @property
    def now_s(self) -> float:
        """Simulated seconds since the start."""
        return (asyncio.get_running_loop().time() - self._started_s) * self._speed

    def add(self, flight: Flight) -> None:
        """Let one more flight take part; its seconds count from the server's start."""
        self._flights.append(flight)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen, and let time run."""
        self._started_s = asyncio.get_running_loop().time()
        self._server = await asyncio.start_server(self._serve, host, port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._sending = asyncio.create_task(self._send())

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait([self._sending])
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._clients):
            writer.close()
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            while await reader.read(1024):  # clients may send settings; there are none here
                pass
        except ConnectionError:
            return
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _send(self) -> None:
        sent_to_s = beat_s = 0.0
        while True:
            await asyncio.sleep(SLICE_S)
            now_s = self.now_s
            heard = sorted(
                each for flight in self._flights for each in flight.transmissions(sent_to_s, now_s)
            )
            sent_to_s = now_s
            stream = b"".join(
                encode_beast(frame, ticks_12mhz=round(second * TICKS_PER_S), signal=90)
                for second, frame in heard
            )
            if now_s - beat_s >= HEARTBEAT_S * self._speed:
                beat_s, stream = now_s, stream + HEARTBEAT
            for writer in tuple(self._clients):
                if writer.transport.get_write_buffer_size() > SLOWEST_CLIENT_BYTES:
                    writer.transport.abort()
                elif stream:
                    writer.write(stream)
