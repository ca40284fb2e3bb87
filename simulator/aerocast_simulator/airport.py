"""The simulated airport: flights land, bags ride two belts, and real wire protocols tell of it."""

import asyncio
import random
import secrets
from datetime import UTC, datetime
from importlib.resources import as_file, files
from itertools import chain
from pathlib import Path

from aerocast_protocols.epc.bag_tag import BagTag, bag_tag_pc, encode_bag_tag
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import Wind

from aerocast_simulator import metars, timetable
from aerocast_simulator.bag_messages import BagMessageHost
from aerocast_simulator.belt import ride
from aerocast_simulator.check_in import bags_by_passenger, source_message
from aerocast_simulator.flight import Air, GroundPath, Layer, moved
from aerocast_simulator.llrp_reader import FakeReader
from aerocast_simulator.passengers import ask_now_and_then
from aerocast_simulator.serial_devices import PtyGps, PtyScanner
from aerocast_simulator.sky import BeastServer, Flight
from aerocast_simulator.timetable import GATEWAY, SITE, STANDS, Bag, PlannedFlight
from aerocast_simulator.town import Gateway, Hub

RUNWAY_DEG = 320.0
AIR = Air(
    [
        Layer(500.0, Wind(310.0, 14.0), 12.0),
        Layer(10_000.0, Wind(270.0, 45.0), -6.0),
        Layer(35_000.0, Wind(250.0, 80.0), -54.0),
    ]
)
OVERHEAD = (
    ("4ca87c", "RYR4KM", 60.0, 9_000.0),
    ("39856f", "AFR7JD", 150.0, 9_400.0),
    ("406a3e", "EZY92TP", 240.0, 12_000.0),
    ("3c4b2a", "DLH1VN", 330.0, 12_300.0),
)
ON_STAND_AFTER_S = 15
PARKED_AFTER_S = 24.0  # from final to standing still: a short final and a short taxi
FIRST_BAG_AFTER_S = 12.0  # real ones take ten minutes
BAG_EVERY_S = 1.6
METAR_STATIONS = ("LFBO", "LFPO", "LFMN", "EDDM", "EGLL")  # ours, and where flights come from
RECLAIM_BELT, SORTATION_BELT = (1, 2), (3, 4)  # antenna ports of the one reader
SHIRT = bytes.fromhex("3034257bf7194e4000001a85")  # a garment's SGTIN-96, inside a suitcase
SHIRT_PC = 0x3000


class Airport:
    """One terminal: a reader with two belts' antennas, a scanner, a GPS, a receiver on the roof.

    Bags that arrive are known from a file; those that depart are told of over a BagMessage link.

    Parameters
    ----------
    folder
        Where it writes what it tells the hub.
    seed
        The same seed plays the same day.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311  a repeatable day, no secret
        self._flights = timetable.plan(self._rng)
        self._reader = FakeReader()
        self._sky = BeastServer()
        self._scanner = PtyScanner()
        self._password = secrets.token_urlsafe(9)
        self._network = BagMessageHost({"AEROCAST": self._password.encode()})
        self._gps = PtyGps(timetable.LATITUDE_DEG, timetable.LONGITUDE_DEG, timetable.ALTITUDE_M)
        self.metars = folder / "metars"

    async def prepare(self, hub: Hub, folder: Path) -> list[Gateway]:
        """Tell the hub today's plan, switch the devices on, and give the gateway to start."""
        now = datetime.now(UTC)
        self.metars.mkdir(parents=True, exist_ok=True)
        reports = (metars.recent_reports(station, now) for station in METAR_STATIONS)
        metars.write_cache(self.metars / "metars.csv.gz", list(chain.from_iterable(reports)))
        timetable.write_stands(folder / "stands.geojson")
        timetable.write_flights(folder / "flights.jsonl", self._flights, now)
        arrivals = [flight for flight in self._flights if flight.is_arrival]
        timetable.write_bags(folder / "bags.jsonl", arrivals, now)
        await hub.command("import", "stands", str(folder / "stands.geojson"))
        await hub.command("import", "flights", str(folder / "flights.jsonl"))
        await hub.command("import", "bags", str(folder / "bags.jsonl"))
        with as_file(files("aerocast_simulator") / "places.toml") as terminal:
            await hub.command("import", "places", str(terminal))
        await self._reader.start()
        await self._sky.start()
        await self._network.start()
        hub.receive_bag_messages(self._network.port, self._password)
        gateway = Gateway(folder / GATEWAY, self._configuration(folder), hub)
        await gateway.register(hub)
        return [gateway]

    async def run(self, hub: Hub) -> None:
        """Let the day happen, until cancelled."""
        asking = [bag for flight in self._flights if flight.is_arrival for bag in flight.bags]
        self._pass_overhead()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._gps.run())
            group.create_task(ask_now_and_then(hub.url, asking, self._rng))
            for flight in self._flights:
                happens = self._arrive(flight) if flight.is_arrival else self._depart(flight)
                group.create_task(happens)

    async def close(self) -> None:
        """Switch every device off."""
        await self._reader.stop()
        await self._sky.stop()
        await self._network.stop()
        self._scanner.unplug()
        self._gps.unplug()

    async def _arrive(self, planned: PlannedFlight) -> None:
        """Land, taxi, park; then the bags come up on the reclaim belt."""
        await asyncio.sleep(planned.on_final_s)
        now_s = self._sky.now_s
        path = GroundPath.beside(
            Position(*STANDS[planned.stand]), RUNWAY_DEG, roll_m=420.0, taxi_m=160.0
        )
        self._sky.add(
            Flight.arrival(
                planned.icao,
                planned.callsign,
                path,
                AIR,
                starts_s=now_s,
                lands_s=now_s + 6.0,
                parked_by_s=now_s + PARKED_AFTER_S,
            )
        )
        await asyncio.sleep(PARKED_AFTER_S + ON_STAND_AFTER_S + FIRST_BAG_AFTER_S)
        for bag in planned.bags:
            await self._ride(bag, RECLAIM_BELT, SORTATION_BELT)
            await asyncio.sleep(BAG_EVERY_S)

    def _pass_overhead(self) -> None:
        """Let some airliners pass level, in pairs: a wind needs two witnesses."""
        here = Position(timetable.LATITUDE_DEG, timetable.LONGITUDE_DEG)
        for icao, callsign, from_deg, altitude_ft in OVERHEAD:
            self._sky.add(
                Flight.overflight(
                    icao,
                    callsign,
                    moved(here, from_deg, 30_000.0),
                    AIR,
                    true_heading_deg=(from_deg + 170.0) % 360.0,
                    true_airspeed_kt=300.0,
                    altitude_ft=altitude_ft,
                    ends_s=3600.0,
                )
            )

    async def _depart(self, planned: PlannedFlight) -> None:
        """Passengers check in; their bags are scanned at the desk and ride the sortation belt."""
        for number, bags in enumerate(bags_by_passenger(planned), start=1):
            await self._network.send(source_message(planned, bags, number, datetime.now(UTC)))
            for bag in bags:
                self._scanner.scan(f"]I0{bag.licence_plate}")
                await asyncio.sleep(BAG_EVERY_S)
                await self._ride(bag, SORTATION_BELT, RECLAIM_BELT)

    async def _ride(self, bag: Bag, on: tuple[int, ...], beside: tuple[int, ...]) -> None:
        """Let a bag with its tag, and a shirt's inside it, ride past a belt's antennas."""
        day = datetime.now(UTC).timetuple().tm_yday
        tag = encode_bag_tag(BagTag(bag.licence_plate, day))
        pc = bag_tag_pc(tag)
        reads = [(read, tag, pc) for read in ride(self._rng, on, beside)]
        reads += [(read, SHIRT, SHIRT_PC) for read in ride(self._rng, on[:1])]
        loop = asyncio.get_running_loop()
        entered = loop.time()
        for read, epc, word in sorted(reads, key=lambda each: each[0].after_s):
            await asyncio.sleep(max(0.0, entered + read.after_s - loop.time()))
            self._reader.report(epc, read.antenna, read.rssi_dbm, pc=word)

    def _configuration(self, folder: Path) -> dict[str, object]:
        """Give the gateway's agent.toml."""
        return {
            "gateway": {
                "site": SITE,
                "name": GATEWAY,
                "position": {
                    "latitude_deg": timetable.LATITUDE_DEG,
                    "longitude_deg": timetable.LONGITUDE_DEG,
                    "altitude_m": timetable.ALTITUDE_M,
                },
            },
            "aircraft": {
                "stands": str(folder / "stands.geojson"),
                "on_stand_after_s": ON_STAND_AFTER_S,
            },
            "device": [
                {"name": "portal", "kind": "llrp", "host": "127.0.0.1", "port": self._reader.port},
                {
                    "name": "desk",
                    "kind": "serial_scanner",
                    "port": self._scanner.path,
                    "point": "acceptance",
                },
                {"name": "gps", "kind": "gps_serial", "port": self._gps.path},
                {"name": "sky", "kind": "adsb_beast", "host": "127.0.0.1", "port": self._sky.port},
            ],
            "belt": [
                _belt("belt-4", "reclaim", RECLAIM_BELT, "belt-5"),
                _belt("belt-5", "sortation", SORTATION_BELT, "belt-4"),
            ],
        }


def _belt(name: str, point: str, antennas: tuple[int, ...], sibling: str) -> dict[str, object]:
    return {
        "name": name,
        "point": point,
        "antennas": [f"portal:{antenna}" for antenna in antennas],
        "siblings": [sibling],
        "speed_mps": 1.5,
        "field_m": 1.2,
    }
