"""The connections of an airport, the likeliest to fail first, on both databases."""

import functools
import json
import time
from datetime import UTC, datetime

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.baggage.evidence import Announced, Leg, Seen
from aerocast_hub.baggage.evidence_store import keep_evidence
from aerocast_hub.baggage.journeys import refold_plates
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.orientation.connections import connections_at
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.web.connection_lines import cause_words, risk_tone
from litestar.testing import AsyncTestClient

MIN = 60_000_000
HOUR = 60 * MIN
AMPLE, TIGHT, LOST, STRANGE = (f"022000000{n}" for n in range(4))


@functools.cache
def now_us():
    """Give the instant of this file's first test: it may be long after it was collected."""
    return time.time_ns() // 1000


def day():
    return datetime.fromtimestamp(now_us() / 1e6, UTC).date().isoformat()


def leg(flight, origin, destination):
    return Leg(flight, flight, day(), origin, destination)


async def announce(database, plate, onward, destination):
    legs = (leg("LH1", "MUC", "TLS"), leg(onward, "TLS", destination))
    known = Announced(id=f"a{plate}", at_us=now_us() - HOUR, known_at_us=now_us() - HOUR, legs=legs)
    evidence = [(plate, known)]
    if plate == LOST:  # seen at the sorter long ago, and nowhere since
        seen = Seen(
            id=f"s{plate}",
            at_us=now_us() - 35 * MIN,
            known_at_us=now_us(),
            site="lfbo",
            point="sortation",
            belt="belt-1",
        )
        evidence.append((plate, seen))
    async with database.writing() as session:
        await keep_evidence(session, evidence)
        await refold_plates(session, {plate})


@pytest.fixture
async def connections(database, tmp_path):
    """Bags off LH1, whose aircraft landed 50 minutes ago, late: a lot of time, hardly any, none."""
    flights = [
        {"flight": "LH1", "from": "MUC", "to": "TLS", "scheduled_on_block": now_us() / 1e6 - 3000},
        {"flight": "AF2", "from": "TLS", "to": "NCE", "scheduled_off_block": now_us() / 1e6 + 9000},
        {"flight": "AF3", "from": "TLS", "to": "ORY", "scheduled_off_block": now_us() / 1e6 + 2100},
        {"flight": "AF4", "from": "TLS", "to": "LIL", "scheduled_off_block": now_us() / 1e6 + 1900},
    ]
    file = tmp_path / "flights.jsonl"
    file.write_text("".join(json.dumps(each | {"date": day()}) + "\n" for each in flights))
    await import_flights(database, file)
    await announce(database, AMPLE, "AF2", "NCE")
    await announce(database, TIGHT, "AF3", "ORY")
    await announce(database, LOST, "AF4", "LIL")
    return database


async def listed(database):
    async with database.reading() as session:
        return await connections_at(session, "TLS", now_us(), ahead_us=6 * HOUR)


async def test_the_likeliest_to_be_missed_come_first_with_their_cause(connections):
    found = await listed(connections)
    assert [each.transfer.licence_plate for each in found][-1] == AMPLE
    chances = [each.bag.probability for each in found]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.3
    assert chances[-1] < 0.05
    ample = found[-1]
    assert (ample.minimum_min, ample.planned_min) == (60, 200)  # from abroad, inland
    assert "ramp" in ample.unknown  # no report of its weather was ever heard
    assert "way" in ample.unknown
    assert all(each.bag.cause is not None for each in found[:2])
    assert all(cause_words(each.bag.cause) for each in found[:2])
    assert [risk_tone(each.bag) for each in found][-1] == "idle"


async def test_a_bag_of_a_flight_that_is_in_no_schedule_is_listed_as_not_known(connections):
    legs = (leg("XX9", "MUC", "TLS"), leg("AF2", "TLS", "NCE"))
    known = Announced(id="x", at_us=now_us(), known_at_us=now_us(), legs=legs)
    async with connections.writing() as session:
        await keep_evidence(session, [(STRANGE, known)])
        await refold_plates(session, {STRANGE})
    by_plate = {each.transfer.licence_plate: each for each in await listed(connections)}
    assert by_plate[STRANGE].bag is by_plate[STRANGE].passenger is None
    assert len(by_plate) == 4


async def test_operators_see_connections_by_risk(connections, database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        subject = "00000000-0000-0000-0000-000000000001"
        token = client.app.state.hub.keys.signer.issue(
            subject, "op", frozenset({"baggage:read"}), int(time.time())
        )
        client.headers["authorization"] = f"Bearer {token}"
        answer = (await client.get("/api/connections/tls")).json()
        assert [each["transfer"]["licence_plate"] for each in answer][-1] == AMPLE
        assert answer[0]["bag"]["cause"]["key"]
        assert (await client.get("/api/connections/tls?hours=99")).status_code == 400
        page = (await client.get("/transfers/TLS")).text
        assert "Bag misses it" in page
        assert cause_words_of(answer[0]) in page


def cause_words_of(connection):
    words = {
        "late_inbound": "inbound flight {} min late",
        "short_connection": "planned {} min below the minimum",
        "not_seen": "not seen for {} min",
        "little_time": "{} min to spare",
    }
    cause = connection["bag"]["cause"]
    return words[cause["key"]].format(cause["minutes"])
