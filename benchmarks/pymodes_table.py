"""The aircraft table as it would be on pyModeS's PipeDecoder: a peer to measure by.

Decoding and positions are pyModeS's; thinning, ground events and winds are the gateway's own.
"""

from collections.abc import Iterable
from typing import Any

from aerocast_agent.aircraft import NS, AircraftTable
from aerocast_agent.aircraft_database import AircraftDatabase
from aerocast_agent.aircraft_memory import HIGHEST_FT, STATE_EVERY_NS, Aircraft
from aerocast_agent.aircraft_winds import Around, Ground
from aerocast_agent.ground_events import Report
from aerocast_agent.stands import Stands
from aerocast_protocols.modes.commb import HeadingAndSpeed, TrackAndTurn
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.observations.every import Observation
from pyModeS import PipeDecoder

_SETS = {4: "A", 3: "B", 2: "C", 1: "D"}


class PymodesTable(AircraftTable):
    """Takes the place of the gateway's table."""

    def __init__(
        self,
        reference: tuple[float, float] | None,
        stands: Stands,
        on_stand_after_s: float = 60.0,
        *,
        year: float = 2026.0,
        database: AircraftDatabase | None = None,
    ) -> None:
        super().__init__(reference, stands, on_stand_after_s, year=year, database=database)
        self._pipe = PipeDecoder(surface_ref=reference)

    def update(
        self,
        device: str,
        frame: bytes,
        boot_ns: int,
        signal_dbfs: float | None = None,
        *,
        is_mlat: bool = False,
    ) -> list[Observation]:
        """Take a frame; give what it brought."""
        fields = self._pipe.decode(frame.hex(), timestamp=boot_ns / NS)
        aircraft = self._believed(fields, boot_ns)
        if aircraft is None or is_mlat:
            return []
        aircraft.heard_ns, aircraft.signal_dbfs = boot_ns, signal_dbfs
        found: list[Observation] = []
        if fields["df"] in (17, 18):
            found += self._learn(device, aircraft, fields, boot_ns)
        elif fields["df"] != 11:
            found += self._reply_of(device, aircraft, fields, boot_ns)
        if aircraft.state_ns is None or boot_ns - aircraft.state_ns >= STATE_EVERY_NS:
            found += aircraft.state(device, boot_ns)
        return found

    def _believed(self, fields: dict[str, Any], boot_ns: int) -> Aircraft | None:
        if "error" in fields or fields["crc_valid"] is False:
            return None
        address = int(fields["icao"], 16)
        if fields["df"] not in (17, 18):
            return self._aircraft.get(address) if fields["df"] in (4, 5, 11, 20, 21) else None
        aircraft = self._known(address, boot_ns)
        aircraft.confirmed_ns = boot_ns
        return aircraft

    def _learn(
        self, device: str, aircraft: Aircraft, fields: dict[str, Any], boot_ns: int
    ) -> Iterable[Observation]:
        code = fields["typecode"]
        self._learn_more(aircraft, fields, boot_ns)
        if fields.get("altitude") is not None and code <= 18:
            aircraft.altitude_ft, aircraft.altitude_ns = fields["altitude"], boot_ns
        if fields.get("cpr_format") is None:
            return ()
        on_surface = code < 9
        aircraft.on_ground = on_surface
        aircraft.source, aircraft.source_ns = "adsb", boot_ns
        fix = None
        if fields.get("latitude") is not None:
            place = Position(fields["latitude"], fields["longitude"])
            fix = aircraft.positions.place(place, boot_ns, on_surface=on_surface)
        speed_kt = fields.get("groundspeed") if on_surface else None
        changes = aircraft.ground.add(Report(boot_ns, on_surface, fix, speed_kt))
        return self._events(device, aircraft, changes)

    def _learn_more(self, aircraft: Aircraft, fields: dict[str, Any], boot_ns: int) -> None:
        code = fields["typecode"]
        if fields.get("callsign") is not None:
            aircraft.callsign = fields["callsign"] or None
            if fields["category"]:
                aircraft.category = f"{_SETS.get(code, '')}{fields['category']}"
        if fields.get("squawk") is not None:
            aircraft.squawk = fields["squawk"]
        if code == 19 and fields.get("vertical_rate") is not None:
            aircraft.vertical_rate_fpm = fields["vertical_rate"]
            aircraft.vertical_rate_ns = boot_ns
        if fields.get("groundspeed") is not None and fields.get("track") is not None:
            aircraft.velocity = Ground(boot_ns, fields["track"], fields["groundspeed"])
            if code == 19:
                aircraft.winds.move(aircraft.velocity)

    def _reply_of(
        self, device: str, aircraft: Aircraft, fields: dict[str, Any], boot_ns: int
    ) -> Iterable[Observation]:
        if fields.get("squawk") is not None:
            aircraft.squawk = fields["squawk"]
        altitude_ft = fields.get("altitude")
        if altitude_ft is not None and altitude_ft <= HIGHEST_FT:
            aircraft.altitude_ft, aircraft.altitude_ns = altitude_ft, boot_ns
        register = _register(fields)
        position = aircraft.position_at(boot_ns, 30 * NS)
        if register is None or position is None or aircraft.altitude_ft is None:
            return ()
        if aircraft.on_ground is not False:
            return ()
        around = Around(position, aircraft.altitude_ft, self._declinations.at(position))
        aircraft.winds.add(boot_ns, register, around)
        return self._weather(device, aircraft, aircraft.winds.take(boot_ns))


def _register(fields: dict[str, Any]) -> TrackAndTurn | HeadingAndSpeed | None:
    bds = fields.get("bds")
    if bds == "5,0" and {"true_track", "groundspeed", "true_airspeed"} <= fields.keys():
        return TrackAndTurn(
            true_track=fields["true_track"],
            groundspeed=fields["groundspeed"],
            true_airspeed=fields["true_airspeed"],
            roll=fields.get("roll"),
            track_rate=fields.get("track_rate"),
        )
    if bds == "6,0" and {"magnetic_heading", "indicated_airspeed", "mach"} <= fields.keys():
        return HeadingAndSpeed(
            magnetic_heading=fields["magnetic_heading"],
            indicated_airspeed=fields["indicated_airspeed"],
            mach=fields["mach"],
        )
    return None
