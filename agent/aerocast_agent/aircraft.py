"""What a receiver's frames say of the aircraft around: states, ground events, wind.

The thinning happens here, once: thousands of frames a second become at most one state a second, and
one wind in ten seconds, for each aircraft. No clock: time comes with every frame, and `advance`
lets it pass when there are none.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from aerocast_protocols.modes.codes import ALTITUDES_FT, SQUAWKS
from aerocast_protocols.modes.commb import read_register, read_weather
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.parity import LARGEST_INTERROGATOR, LONG, SHORT, remainder
from aerocast_protocols.modes.reports import AircraftReport, AirMotion
from aerocast_protocols.modes.senders import MULTILATERATION, Sender, squitter_sender
from aerocast_protocols.modes.squitters import (
    AirbornePosition,
    Squitter,
    SurfacePosition,
    read_squitter,
)
from aerocast_protocols.observations.aircraft import AircraftGroundEvent, AircraftWeather
from aerocast_protocols.observations.every import Observation

from aerocast_agent.aircraft_database import AircraftDatabase
from aerocast_agent.aircraft_memory import FRESH_NS, HIGHEST_FT, STATE_EVERY_NS, Aircraft
from aerocast_agent.aircraft_positions import PositionTracker
from aerocast_agent.aircraft_winds import Around, Declinations, WindSample
from aerocast_agent.ground_events import GroundChange, GroundWatch, Report
from aerocast_agent.ground_memory import Remembered
from aerocast_agent.stands import Stands, distance_m

NS = 1_000_000_000
# A reply's address is believed this long after the same aircraft spoke with a clean parity.
CONFIRMED_NS = 60 * NS
ALTITUDE_NS = 10 * NS
NEAR_M = 60_000.0  # ground events farther from the gateway are another airport's
LOW_FT = 10_000.0  # lower aircraft may land within the minutes that a restart takes
NEAR_NS = 60 * NS
FORGOTTEN_NS = 600 * NS
FORGOTTEN_PARKED_NS = 24 * 3600 * NS  # transponders are off during a turnaround
MOST_AIRCRAFT = 2000
# A reply repeated within so long, mostly to another radar, says nothing new.
REPEATED_NS = 1 * NS
MOST_REPLIES = 2048
# Reports that say what the aircraft itself says: only these tell when it landed or parked.
_OWN_WORD = frozenset({"adsb", None})
_OWN_PARITY, _SQUITTERS = frozenset({11, 17, 18}), frozenset({17, 18})
_REPLIES = frozenset({4, 5, 20, 21})
# By downlink format: how long a frame of the formats followed is, 0 for those passed over.
_LENGTHS = tuple(
    (LONG if each >= 16 else SHORT) if each in _OWN_PARITY | _REPLIES else 0 for each in range(32)
)
_MADE_UP = 1 << 24  # laid over an address that is not the aircraft's own


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
    database
        Registrations and types by address.
    """

    def __init__(
        self,
        reference: tuple[float, float] | None,
        stands: Stands,
        on_stand_after_s: float = 60.0,
        *,
        year: float = 2026.0,
        database: AircraftDatabase | None = None,
    ) -> None:
        self._database = AircraftDatabase() if database is None else database
        self._reference = None if reference is None else Position(*reference)
        self._stands = stands
        self._on_stand_after_s = on_stand_after_s
        self._declinations = Declinations(year)
        self._aircraft: OrderedDict[int, Aircraft] = OrderedDict()  # by address
        self._replied: dict[bytes, tuple[Aircraft, int]] = {}  # by the frame itself

    def __len__(self) -> int:
        return len(self._aircraft)

    def update(
        self,
        device: str,
        frame: bytes,
        boot_ns: int,
        signal_dbfs: float | None = None,
        *,
        is_mlat: bool = False,
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
        is_mlat
            Whether it was made from multilateration: it places an aircraft, but nobody heard it.
        """
        downlink = frame[0] >> 3 if frame else 0
        if len(frame) != _LENGTHS[downlink] or not frame:
            return []
        if downlink in _OWN_PARITY:
            aircraft, brought = self._own_word(device, frame, downlink, boot_ns, is_mlat=is_mlat)
        elif is_mlat:
            return []
        else:
            aircraft, brought = self._answer(device, frame, boot_ns)
        if aircraft is None:
            return []
        aircraft.heard_ns = boot_ns
        if not is_mlat:
            aircraft.signal_dbfs = signal_dbfs
        found = list(brought)
        if aircraft.state_ns is None or abs(boot_ns - aircraft.state_ns) >= STATE_EVERY_NS:
            found += aircraft.state(device, boot_ns)
        return found

    def report(self, device: str, report: AircraftReport, boot_ns: int) -> list[Observation]:
        """Take what another program says of an aircraft; give what that brought.

        Parameters
        ----------
        device
            The program's name.
        boot_ns
            When it said so; the aircraft was heard ``report.age_s`` before.
        """
        heard_ns = boot_ns - round(report.age_s * NS)
        aircraft = self._known(_address_of(report.icao), heard_ns)
        if report.source is not None and aircraft.outranks(report.source, heard_ns):
            return []
        aircraft.heard_ns = heard_ns
        aircraft.learn_report(report, heard_ns)
        if report.on_ground is not None:
            aircraft.on_ground = report.on_ground
        seen: list[Observation] = []
        if report.latitude_deg is not None and report.longitude_deg is not None:
            place = Position(report.latitude_deg, report.longitude_deg)
            on_surface = bool(aircraft.on_ground)
            fix = aircraft.positions.place(place, heard_ns, on_surface=on_surface)
            aircraft.source, aircraft.source_ns = report.source, heard_ns
            if report.source in _OWN_WORD and aircraft.may_move_on_ground:
                speed_kt = report.ground_speed_kt if on_surface else None
                changes = aircraft.ground.add(Report(heard_ns, on_surface, fix, speed_kt))
                seen += self._events(device, aircraft, changes)
        if report.air is not None:
            self._flown(aircraft, report.air, heard_ns)
            seen += self._weather(device, aircraft, aircraft.winds.take(heard_ns))
        seen += aircraft.state(device, boot_ns)
        return seen

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
        if gone:
            self._replied.clear()
        return found

    def remembered(self) -> Iterator[Remembered]:
        """Give what is to be known of aircraft near the ground after a restart of the agent."""
        for aircraft in self._aircraft.values():
            position = aircraft.positions.fix
            is_low = aircraft.on_ground or (aircraft.altitude_ft or 0.0) < LOW_FT
            if position is not None and is_low and self._is_near(position.position):
                yield Remembered(
                    icao=aircraft.icao,
                    heard_ns=aircraft.heard_ns,
                    ground=aircraft.ground.state(),
                    callsign=aircraft.callsign,
                    category=aircraft.category,
                )

    def recall(self, remembered: Remembered) -> None:
        """Take what was known of an aircraft before a restart."""
        aircraft = self._known(_address_of(remembered.icao), remembered.heard_ns)
        aircraft.callsign, aircraft.category = remembered.callsign, remembered.category
        aircraft.ground.recall(remembered.ground)
        aircraft.on_ground = remembered.ground.on_surface

    def _own_word(
        self, device: str, frame: bytes, downlink: int, boot_ns: int, *, is_mlat: bool
    ) -> tuple[Aircraft | None, Iterable[Observation]]:
        """Take a frame with a parity of its own."""
        sender = None
        if is_mlat:
            sender = MULTILATERATION
        elif downlink in _SQUITTERS:
            sender = squitter_sender(frame)
        aircraft = self._confirm(frame, downlink, boot_ns, sender)
        if aircraft is None or sender is None or downlink not in _SQUITTERS:
            return aircraft, ()
        squitter = read_squitter(int.from_bytes(frame[4:11], "big"))
        if squitter is None:
            return aircraft, ()
        return aircraft, self._squitter(device, aircraft, squitter, boot_ns, sender)

    def _answer(
        self, device: str, frame: bytes, boot_ns: int
    ) -> tuple[Aircraft | None, Iterable[Observation]]:
        """Take a reply: believed of an aircraft that spoke with a parity of its own lately."""
        known, replied_ns = self._replied.get(frame, _NEVER)
        if known is not None and 0 <= boot_ns - replied_ns < REPEATED_NS:
            return known, ()
        aircraft = self._aircraft.get(remainder(frame))
        if aircraft is None or abs(boot_ns - aircraft.confirmed_ns) > CONFIRMED_NS:
            return None, ()
        if len(self._replied) >= MOST_REPLIES:
            self._replied.clear()
        self._replied[frame] = (aircraft, boot_ns)
        return aircraft, self._reply(device, aircraft, frame, boot_ns)

    def _confirm(
        self, frame: bytes, downlink: int, boot_ns: int, sender: Sender | None
    ) -> Aircraft | None:
        """Give the aircraft of a frame with a parity of its own; None for damaged frames."""
        left = remainder(frame)
        address = int.from_bytes(frame[1:4], "big")
        if downlink == 11 and 0 < left <= LARGEST_INTERROGATOR:
            # Answering an interrogator: seven more bits may be wrong, so known aircraft only.
            return self._aircraft.get(address)
        if left or (sender is None and downlink != 11):
            return None
        if sender is not None and not sender.is_icao:
            address |= _MADE_UP
        aircraft = self._known(address, boot_ns)
        if sender is not MULTILATERATION:  # computed elsewhere: nobody heard it speak
            aircraft.confirmed_ns = boot_ns
        return aircraft

    def _known(self, address: int, boot_ns: int) -> Aircraft:
        """Give an aircraft, new or not; the one longest unheard gives way to too many."""
        aircraft = self._aircraft.get(address)
        if aircraft is not None:
            self._aircraft.move_to_end(address)
            return aircraft
        icao = f"~{address - _MADE_UP:06x}" if address >= _MADE_UP else f"{address:06x}"
        aircraft = self._aircraft[address] = Aircraft(
            icao,
            boot_ns,
            PositionTracker(self._reference),
            GroundWatch(self._stands, self._on_stand_after_s),
        )
        aircraft.airframe = self._database.airframe(icao)
        if len(self._aircraft) > MOST_AIRCRAFT:
            self._aircraft.popitem(last=False)
        return aircraft

    def _squitter(
        self, device: str, aircraft: Aircraft, squitter: Squitter, boot_ns: int, sender: Sender
    ) -> Iterable[Observation]:
        if aircraft.outranks(sender.source, boot_ns):
            return ()
        aircraft.learn(squitter, boot_ns)
        if not isinstance(squitter, (AirbornePosition, SurfacePosition)):
            return ()
        aircraft.source, aircraft.source_ns = sender.source, boot_ns
        on_surface = isinstance(squitter, SurfacePosition)
        aircraft.on_ground = on_surface
        fix = aircraft.positions.add(squitter.cpr, boot_ns, on_surface=on_surface)
        if not sender.is_transponder or not aircraft.may_move_on_ground:
            return ()  # a vehicle or an obstacle, or somebody else speaking for an aircraft
        speed_kt = squitter.groundspeed if isinstance(squitter, SurfacePosition) else None
        changes = aircraft.ground.add(Report(boot_ns, on_surface, fix, speed_kt))
        return self._events(device, aircraft, changes)

    def _reply(
        self, device: str, aircraft: Aircraft, frame: bytes, boot_ns: int
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
            report = read_weather(int.from_bytes(frame[4:11], "big"), altitude_ft)
            if report is None:
                return ()
            around = Around(position, altitude_ft, 0.0)
            return self._weather(device, aircraft, aircraft.winds.hear(boot_ns, report, around))
        around = Around(position, altitude_ft, self._declinations.at(position))
        aircraft.winds.add(boot_ns, register, around)
        return self._weather(device, aircraft, aircraft.winds.take(boot_ns))

    def _flown(self, aircraft: Aircraft, air: AirMotion, boot_ns: int) -> None:
        """Take another program's word on an aircraft's motion through the air."""
        altitude_ft = aircraft.altitude_at(boot_ns, ALTITUDE_NS)
        position = aircraft.position_at(boot_ns, FRESH_NS)
        if aircraft.on_ground is not False or altitude_ft is None or position is None:
            return
        around = Around(position, altitude_ft, self._declinations.at(position))
        aircraft.winds.fly(boot_ns, air, aircraft.winds.ground_at(boot_ns), around)

    def _weather(
        self, device: str, aircraft: Aircraft, sample: WindSample | None
    ) -> Iterable[AircraftWeather]:
        if sample is None:
            return
        air = sample.airflow
        yield AircraftWeather(
            device=device,
            boot_ns=sample.boot_ns,
            icao=aircraft.icao,
            latitude_deg=sample.position.latitude_deg,
            longitude_deg=sample.position.longitude_deg,
            altitude_ft=sample.altitude_ft,
            wind_direction_deg=sample.wind.direction_deg,
            wind_speed_kt=sample.wind.speed_kt,
            source=sample.source,
            temperature_c=sample.temperature_c,
            true_heading_deg=air.true_heading_deg if air else None,
            true_airspeed_kt=air.true_airspeed_kt if air else None,
            roll_deg=air.roll_deg if air else None,
            readings=air.readings if air else None,
        )

    def _events(
        self, device: str, aircraft: Aircraft, changes: Iterable[GroundChange]
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
                registration=aircraft.airframe.registration,
                latitude_deg=position.latitude_deg if position else None,
                longitude_deg=position.longitude_deg if position else None,
            )

    def _is_near(self, position: Position | None) -> bool:
        if self._reference is None:
            return True
        return position is not None and distance_m(self._reference, position) <= NEAR_M


_NEVER: tuple[None, int] = (None, 0)


def _address_of(icao: str) -> int:
    return int(icao.removeprefix("~"), 16) | (_MADE_UP if icao.startswith("~") else 0)
