"""A passenger with two bags on a flight that just came in, and who asks about them."""

import json
import time

from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.flights.absorb import absorb as absorb_flights
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.inbox.sighting import Sighting
from aerocast_protocols.observations.aircraft import AircraftGroundEvent

PLATE, OTHER_PLATE, NOBODYS_PLATE = "0220123456", "0220123457", "0220999999"
SURNAME = "Müller"
ICAO = "393322"
MIN_US = 60_000_000


def now_us():
    return time.time_ns() // 1000


def iso(at_us):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_us / 1e6))


async def announce(database, folder, minutes_ago=0, **changes):
    """Import a flight due ``minutes_ago``, and its passenger's two bags, and one of nobody."""
    at_us = now_us() - minutes_ago * MIN_US
    today = iso(at_us)[:10]
    flight = {
        "flight": "AF6120", "date": today, "icao": ICAO, "from": "CDG", "to": "TLS",
        "scheduled_off_block": iso(at_us - 90 * MIN_US), "scheduled_on_block": iso(at_us),
        "stand": "B2", "reclaim": "4",
    }  # fmt: skip
    bag = {"flight": "AF6120", "flight_date": today, "from": "CDG", "to": "TLS"}
    whose = {"surname": SURNAME, "passenger": "Anna"}
    (folder / "flights.jsonl").write_text(json.dumps(flight | changes))
    (folder / "bags.jsonl").write_text(
        "\n".join(
            json.dumps(bag | named)
            for named in (
                whose | {"licence_plate": PLATE},
                whose | {"licence_plate": OTHER_PLATE},
                {"licence_plate": NOBODYS_PLATE},
            )
        )
    )
    await import_flights(database, folder / "flights.jsonl")
    await import_bags(database, folder / "bags.jsonl")


async def aircraft(database, *events):
    """Let the aircraft do something: (``landed``, minutes ago) ...; give what follows."""
    told = []
    async with database.writing() as session:
        for number, (event, minutes_ago) in enumerate(events):
            what = AircraftGroundEvent(
                device="sky", boot_ns=1, icao=ICAO, event=event, sigma_s=5.0, known_at_boot_ns=2,
                stand="B2" if event == "on_stand" else None,
            )  # fmt: skip
            at_us = now_us() - round(minutes_ago * MIN_US)
            seen = Sighting(
                site="lfbo", gateway="hall-1", epoch=1, lane=0, sequence=at_us + number,
                seen_at_us=at_us, clock_quality=3, observation=what,
            )  # fmt: skip
            told += await absorb_flights(session, [seen])
    return told
