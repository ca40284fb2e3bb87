"""What a receiver's frames say of the aircraft around: states, ground events, wind.

The thinning happens here, once: thousands of frames a second become at most one state a second, and
one wind in ten seconds, for each aircraft. No clock: time comes with every frame, and `advance`
lets it pass when there are none.
"""

from collections import OrderedDict
from collections.abc import Iterable

from aerocast_protocols.modes.codes import ALTITUDES_FT, SQUAWKS
from aerocast_protocols.modes.commb import read_register
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.parity import LARGEST_INTERROGATOR, SHORT, has_right_length, remainder
from aerocast_protocols.modes.squitters import (
    AirbornePosition,
    Identification,
    Squitter,
    Status,
    SurfacePosition,
    Velocity,
    read_squitter,
)
from aerocast_protocols.observations import (
    AircraftGroundEvent,
    AircraftState,
    AircraftWeather,
    Observation,
)

from aerocast_agent.aircraft_positions import PositionTracker
from aerocast_agent.aircraft_winds import Declinations, Ground, WindCollector, WindSample
from aerocast_agent.ground_events import GroundChange, GroundWatch, Report
from aerocast_agent.stands import Stands, distance_m

NS = 1_000_000_000
STATE_EVERY_NS = 1 * NS
# A reply's address is believed this long after the same aircraft spoke with a clean parity.
CONFIRMED_NS = 60 * NS
FRESH_NS = 30 * NS  # older positions, speeds and altitudes are unknown again
ALTITUDE_NS = 10 * NS
NEAR_M = 60_000.0  # ground events farther from the gateway are another airport's
NEAR_NS = 60 * NS
FORGOTTEN_NS = 600 * NS
FORGOTTEN_PARKED_NS = 24 * 3600 * NS  # transponders are off during a turnaround
MOST_AIRCRAFT = 2000
HIGHEST_FT = 60_000.0
_ICAO_FORMATS = frozenset({0, 2, 6})  # control field of df 18 whose address is the aircraft's own
_OTHER_FORMATS = frozenset({1, 5})  # ... and those with a made-up address
_SETS = {4: "A", 3: "B", 2: "C", 1: "D"}
_OWN_PARITY = frozenset({11, 17, 18})
_REPLIES = frozenset({4, 5, 20, 21})
_HIGHEST_BAROMETRIC_CODE = 18  # type codes of positions above it give heights above the ellipsoid
_MADE_UP = 1 << 24  # laid over an address that is not the aircraft's own


class _Aircraft:
    """One aircraft: everything known of it, each with its age."""

    __slots__ = (
        "altitude_ft",
        "altitude_ns",
        "callsign",
        "category",
        "confirmed_ns",
        "ground",
        "heard_ns",
        "icao",
        "on_ground",
        "positions",
        "signal_dbfs",
        "squawk",
        "state_ns",
        "velocity",
        "vertical_rate_fpm",
        "vertical_rate_ns",
        "winds",
    )

    def __init__(
        self, icao: str, boot_ns: int, positions: PositionTracker, ground: GroundWatch
    ) -> None:
        self.icao = icao
        self.positions = positions
        self.ground = ground
        self.winds = WindCollector()
        self.heard_ns = self.confirmed_ns = boot_ns
        self.state_ns: int | None = None
        self.callsign: str | None = None
        self.category: str | None = None
        self.squawk: str | None = None
        self.on_ground: bool | None = None
        self.altitude_ft: float | None = None
        self.altitude_ns = 0
        self.velocity: Ground | None = None
        self.vertical_rate_fpm: float | None = None
        self.vertical_rate_ns = 0
        self.signal_dbfs: float | None = None

    def altitude_at(self, boot_ns: int, within_ns: int) -> float | None:
        return self.altitude_ft if abs(boot_ns - self.altitude_ns) <= within_ns else None

    def position_at(self, boot_ns: int, within_ns: int) -> Position | None:
        fix = self.positions.fix
        return fix.position if fix and abs(boot_ns - fix.boot_ns) <= within_ns else None


class AircraftTable:
    """Remembers the aircraft a gateway hears, and says what is worth sending on.

    Parameters
    ----------
    reference
        Where the gateway stands, degrees north and east. None (captures of unknown origin): surface
        positions are then known only after a flight was followed down, and no event is too far.
    stands
        The airport's stands.
    on_stand_after_s
        How long an aircraft stands still, or is silent, on a stand before it counts as parked.
    year
        Decimal year, for magnetic declination (it moves about 0.2 degrees a year).
    """

    def __init__(
        self,
        reference: tuple[float, float] | None,
        stands: Stands,
        on_stand_after_s: float = 60.0,
        *,
        year: float = 2026.0,
    ) -> None:
        self._reference = None if reference is None else Position(*reference)
        self._stands = stands
        self._on_stand_after_s = on_stand_after_s
        self._declinations = Declinations(year)
        self._aircraft: OrderedDict[int, _Aircraft] = OrderedDict()  # by address

    def __len__(self) -> int:
        return len(self._aircraft)

    def update(
        self, device: str, frame: bytes, boot_ns: int, signal_dbfs: float | None = None
    ) -> list[Observation]:
        """Take a frame; give what it brought.

        Frames that are damaged, of another kind (Mode A/C) or from an aircraft whose address is not
        confirmed give nothing.

        Parameters
        ----------
        device
            The receiver's name.
        frame
            7 or 14 bytes, parity included.
        boot_ns
            When it was heard.
        signal_dbfs
            Its power, dB relative to full scale.
        """
        if not has_right_length(frame):
            return []
        downlink = frame[0] >> 3
        aircraft = self._sender(frame, downlink, boot_ns)
        if aircraft is None:
            return []
        aircraft.heard_ns = boot_ns
        aircraft.signal_dbfs = signal_dbfs
        found: list[Observation] = []
        if downlink in _REPLIES:
            found += self._reply(device, aircraft, frame, boot_ns)
        elif downlink != 11:
            squitter = read_squitter(int.from_bytes(frame[4:11], "big"))
            if squitter is not None:
                found += self._squitter(device, aircraft, squitter, boot_ns, flies=downlink == 17)
        if aircraft.state_ns is None or abs(boot_ns - aircraft.state_ns) >= STATE_EVERY_NS:
            found += _state(device, aircraft, boot_ns)
        return found

    def advance(self, device: str, boot_ns: int) -> list[Observation]:
        """Let time pass without frames: say who has fallen silent on a stand, forget who is gone.

        Call it about once a second, and after the last frame of a recording.
        """
        found: list[Observation] = []
        gone = []
        for address, aircraft in self._aircraft.items():
            found += self._events(device, aircraft, aircraft.ground.advance(boot_ns))
            found += self._weather(device, aircraft, aircraft.winds.take(boot_ns))
            parked = aircraft.ground.parked_at is not None
            silent_ns = boot_ns - aircraft.heard_ns
            if silent_ns > (FORGOTTEN_PARKED_NS if parked else FORGOTTEN_NS):
                gone.append(address)
        for address in gone:
            del self._aircraft[address]
        return found

    def _sender(self, frame: bytes, downlink: int, boot_ns: int) -> _Aircraft | None:
        """Give the aircraft that sent a frame; None when that cannot be believed."""
        if downlink in _OWN_PARITY:
            return self._confirm(frame, downlink, boot_ns)
        if downlink not in _REPLIES:
            return None
        aircraft = self._aircraft.get(remainder(frame))
        if aircraft is None or abs(boot_ns - aircraft.confirmed_ns) > CONFIRMED_NS:
            return None
        return aircraft

    def _confirm(self, frame: bytes, downlink: int, boot_ns: int) -> _Aircraft | None:
        """Give the aircraft that sent a frame with a parity of its own; None for damaged frames."""
        left = remainder(frame)
        address = int.from_bytes(frame[1:4], "big")
        if downlink == 11 and 0 < left <= LARGEST_INTERROGATOR:
            # Answering an interrogator: seven more bits may be wrong, so known aircraft only.
            return self._aircraft.get(address)
        if left:
            return None
        if downlink == 18:
            control = frame[0] & 0x07
            if control in _OTHER_FORMATS:
                address |= _MADE_UP
            elif control not in _ICAO_FORMATS:
                return None
        aircraft = self._aircraft.get(address)
        if aircraft is None:
            aircraft = self._aircraft[address] = _Aircraft(
                f"~{address - _MADE_UP:06x}" if address >= _MADE_UP else f"{address:06x}",
                boot_ns,
                PositionTracker(self._reference),
                GroundWatch(self._stands, self._on_stand_after_s),
            )
            if len(self._aircraft) > MOST_AIRCRAFT:
                self._aircraft.popitem(last=False)
        else:
            self._aircraft.move_to_end(address)
        aircraft.confirmed_ns = boot_ns
        return aircraft

    def _squitter(
        self, device: str, aircraft: _Aircraft, squitter: Squitter, boot_ns: int, *, flies: bool
    ) -> Iterable[Observation]:
        if not isinstance(squitter, (AirbornePosition, SurfacePosition)):
            _learn(aircraft, squitter, boot_ns)
            return ()
        speed_kt: float | None = None
        on_surface = isinstance(squitter, SurfacePosition)
        if isinstance(squitter, SurfacePosition):
            speed_kt = squitter.groundspeed
            if speed_kt is not None and squitter.track is not None:
                aircraft.velocity = Ground(boot_ns, squitter.track, speed_kt)
        elif squitter.typecode <= _HIGHEST_BAROMETRIC_CODE and squitter.altitude is not None:
            aircraft.altitude_ft, aircraft.altitude_ns = squitter.altitude, boot_ns
        aircraft.on_ground = on_surface
        fix = aircraft.positions.add(squitter.cpr, boot_ns, on_surface=on_surface)
        if not flies or (aircraft.category or "").startswith("C"):
            return ()  # a vehicle or an obstacle, or somebody else speaking for an aircraft
        changes = aircraft.ground.add(Report(boot_ns, on_surface, fix, speed_kt))
        return self._events(device, aircraft, changes)

    def _reply(
        self, device: str, aircraft: _Aircraft, frame: bytes, boot_ns: int
    ) -> Iterable[Observation]:
        code = (frame[2] & 0x1F) << 8 | frame[3]
        if frame[0] >> 3 & 1:  # df 5, 21
            aircraft.squawk = SQUAWKS[code]
        else:
            told_ft = ALTITUDES_FT[code]
            if told_ft is not None and told_ft <= HIGHEST_FT:
                aircraft.altitude_ft, aircraft.altitude_ns = told_ft, boot_ns
        if len(frame) == SHORT or aircraft.on_ground is not False:
            return ()
        altitude_ft = aircraft.altitude_at(boot_ns, ALTITUDE_NS)
        position = aircraft.position_at(boot_ns, FRESH_NS)
        if altitude_ft is None or position is None:
            return ()
        ground = aircraft.winds.ground_at(boot_ns)
        register = read_register(
            frame,
            altitude_ft,
            ground_speed_kt=ground.ground_speed_kt if ground else None,
            track_deg=ground.track_deg if ground else None,
        )
        if register is None:
            return ()
        aircraft.winds.add(boot_ns, register, self._declinations.at(position))
        return self._weather(device, aircraft, aircraft.winds.take(boot_ns))

    def _weather(
        self, device: str, aircraft: _Aircraft, sample: WindSample | None
    ) -> Iterable[AircraftWeather]:
        if sample is None:
            return
        position = aircraft.position_at(sample.boot_ns, FRESH_NS)
        altitude_ft = aircraft.altitude_at(sample.boot_ns, FRESH_NS)
        if position is None or altitude_ft is None:
            return
        yield AircraftWeather(
            device=device,
            boot_ns=sample.boot_ns,
            icao=aircraft.icao,
            latitude_deg=position.latitude_deg,
            longitude_deg=position.longitude_deg,
            altitude_ft=altitude_ft,
            wind_direction_deg=sample.wind.direction_deg,
            wind_speed_kt=sample.wind.speed_kt,
            temperature_c=sample.temperature_c,
        )

    def _events(
        self, device: str, aircraft: _Aircraft, changes: Iterable[GroundChange]
    ) -> Iterable[AircraftGroundEvent]:
        for change in changes:
            within_ns = NEAR_NS + change.known_ns - change.happened_ns
            position = change.position or aircraft.position_at(change.known_ns, within_ns)
            if not self._is_near(position):
                continue
            yield AircraftGroundEvent(
                device=device,
                boot_ns=change.happened_ns,
                icao=aircraft.icao,
                event=change.event,
                sigma_s=change.sigma_s,
                known_at_boot_ns=change.known_ns,
                stand=change.stand,
                callsign=aircraft.callsign,
                latitude_deg=position.latitude_deg if position else None,
                longitude_deg=position.longitude_deg if position else None,
            )

    def _is_near(self, position: Position | None) -> bool:
        if self._reference is None:
            return True
        return position is not None and distance_m(self._reference, position) <= NEAR_M


def _learn(aircraft: _Aircraft, squitter: Identification | Velocity | Status, boot_ns: int) -> None:
    """Take what a squitter that gives no position says."""
    if isinstance(squitter, Velocity):
        if squitter.vertical_rate is not None:
            aircraft.vertical_rate_fpm = squitter.vertical_rate
            aircraft.vertical_rate_ns = boot_ns
        if squitter.groundspeed is not None and squitter.track is not None:
            aircraft.velocity = Ground(boot_ns, squitter.track, squitter.groundspeed)
            aircraft.winds.move(aircraft.velocity)
    elif isinstance(squitter, Identification):
        aircraft.callsign = squitter.callsign or None
        if squitter.category:
            aircraft.category = f"{_SETS[squitter.typecode]}{squitter.category}"
    else:
        aircraft.squawk = squitter.squawk


def _state(device: str, aircraft: _Aircraft, boot_ns: int) -> Iterable[AircraftState]:
    position = aircraft.position_at(boot_ns, FRESH_NS)
    velocity = aircraft.velocity
    if velocity is not None and abs(boot_ns - velocity.boot_ns) > FRESH_NS:
        velocity = None
    altitude_ft = None if aircraft.on_ground else aircraft.altitude_at(boot_ns, FRESH_NS)
    if (position, velocity, altitude_ft, aircraft.callsign, aircraft.squawk) == (None,) * 5:
        return  # all-call replies only: there is somebody, and nothing to say of it
    aircraft.state_ns = boot_ns
    climbs = not aircraft.on_ground and abs(boot_ns - aircraft.vertical_rate_ns) <= FRESH_NS
    yield AircraftState(
        device=device,
        boot_ns=boot_ns,
        icao=aircraft.icao,
        callsign=aircraft.callsign,
        latitude_deg=position.latitude_deg if position else None,
        longitude_deg=position.longitude_deg if position else None,
        altitude_ft=altitude_ft,
        on_ground=aircraft.on_ground,
        ground_speed_kt=velocity.ground_speed_kt if velocity else None,
        track_deg=velocity.track_deg if velocity else None,
        vertical_rate_fpm=aircraft.vertical_rate_fpm if climbs else None,
        squawk=aircraft.squawk,
        category=aircraft.category,
        signal_dbfs=aircraft.signal_dbfs,
    )
