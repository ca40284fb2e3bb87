"""The hub's own journeys as EPCIS events: by themselves, valid, corrected, never evidence again."""

import time
from urllib.parse import quote

import jsonschema_rs
import pytest
from aerocast_hub.baggage.absorb import absorb
from aerocast_hub.epcis.names import Names, bag_of, container_of, flight_of, place_of
from aerocast_hub.epcis.validation import check_event
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.outbox.publish import write_events
from aerocast_protocols.observations.bags import BagPassage
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.alerts.test_alerts import until
from tests.hub.baggage.test_bag_api import MIN, act, day
from tests.hub.epcis.bag_events import CONTEXT, document
from tests.hub.epcis.conftest import BASE
from tests.hub.epcis.test_capture import capture, events
from tests.hub.epcis.test_validation import EPCIS, load

__all__ = ["day"]

SCHEMA = EPCIS / "gs1" / "EPCIS-JSON-Schema.json"


async def passed(database, plate, number, at_us):
    seen = Sighting(
        site="lfbo",
        gateway="hall-1",
        epoch=1,
        lane=0,
        sequence=number,
        seen_at_us=at_us,
        clock_quality=3,
        observation=BagPassage(
            device="portal",
            boot_ns=1,
            belt="belt-4",
            point="sortation",
            licence_plate=plate,
            epc=b"",
            sigma_ms=5.0,
            reads=9,
            peak_rssi_dbm=-50.0,
            confidence=0.9,
        ),
    )
    async with database.writing() as session:
        await write_events(session, await absorb(session, [seen]))


async def found(hub, number, **asked):
    async def enough():
        told = await events(hub, orderDirection="ASC", **asked)
        return told if len(told) >= number else None

    return await until(enough)


async def test_a_journey_is_told_in_epcis_by_itself(hub, database, day):
    now_us = time.time_ns() // 1000
    bag = f"{BASE}/id/bag/{day.plate}.{day.date}"
    await passed(database, day.plate, 1, now_us - 30 * MIN)
    await act(
        hub, day.plate, did="screened", result="cleared", at_us=now_us - 20 * MIN, site="lfbo"
    )
    await act(hub, day.plate, did="stowed", site="lfbo", at_us=now_us - 10 * MIN, **day.aboard)
    await hub.post(
        f"/api/containers/{day.container}/moves",
        json={"did": "into", "parent": day.dolly, "site": "lfbo", "at_us": now_us - 5 * MIN},
    )
    sorted_, screened, stowed, nested = await found(hub, 4)
    assert sorted_["epcList"] == screened["epcList"] == stowed["childEPCs"] == [bag]
    assert sorted_["readPoint"]["id"] == f"{BASE}/id/place/lfbo/belt-4"
    assert sorted_["eventTimeZoneOffset"] in {"+01:00", "+02:00"}
    assert (screened["bizStep"], screened["disposition"]) == ("inspecting", "conformant")
    assert (stowed["action"], stowed["parentID"]) == ("ADD", f"{BASE}/id/container/{day.container}")
    assert stowed["bizTransactionList"] == [
        {"bizTransaction": f"{BASE}/id/flight/{day.flight}.{day.date}"}
    ]
    assert (nested["childEPCs"], nested["parentID"]) == (
        [f"{BASE}/id/container/{day.container}"],
        f"{BASE}/id/container/{quote(day.dolly)}",
    )
    told = (await hub.get("/epcis/v2/events")).json()
    assert told["type"] == "EPCISQueryDocument"
    if SCHEMA.exists():
        official = jsonschema_rs.Draft7Validator(load(SCHEMA), validate_formats=True)
        assert list(official.iter_errors(told)) == []
    for each in await events(hub):
        assert check_event(each) == []
    known = (await hub.get(f"/api/bags/{day.plate}/history")).json()[0]["evidence"]
    await capture(hub, document(*await events(hub), **{"@context": [CONTEXT]}))
    assert (await hub.get(f"/api/bags/{day.plate}/history")).json()[0]["evidence"] == known
    assert len(await events(hub)) == 4


async def test_what_was_wrong_is_declared_so_under_the_same_id(hub, database, day):
    await act(hub, day.plate, did="screened", result="rejected", site="lfbo")
    (screened,) = await found(hub, 1)
    (history,) = (await hub.get(f"/api/bags/{day.plate}/history")).json()
    wrong = next(each["id"] for each in history["evidence"] if each["kind"] == "screened")
    await act(hub, day.plate, did="voided", voids=wrong, reason="another bag was meant")
    one, other = await found(hub, 2)
    assert one["eventID"] == other["eventID"] == screened["eventID"]
    (declared,) = [each for each in (one, other) if "errorDeclaration" in each]
    assert declared["errorDeclaration"]["reason"] == "incorrect_data"
    assert check_event(declared) == []
    await act(hub, day.plate, did="held", site="lfbo")
    assert len(await found(hub, 3)) == 3  # declared once


names = Names("https://hub.example/aerocast/")
texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=12)
sites = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)


@given(texts, sites, texts)
@settings(max_examples=100)
def test_names_are_read_as_they_are_written(one, site, other):
    assert container_of(names.container(one)) == one
    assert place_of(names.place(site, other)) == (site, other)
    assert place_of(names.place(site)) == (site, "")
    assert (
        check_event(
            {
                "type": "ObjectEvent",
                "eventTime": "2026-11-22T20:00:00Z",
                "eventTimeZoneOffset": "+00:00",
                "epcList": [names.container(one)],
                "action": "OBSERVE",
                "readPoint": {"id": names.place(site, other)},
            }
        )
        == []
    )


def test_bags_and_flights_are_read_as_they_are_written():
    assert bag_of(names.bag("0220123456", "2026-11-22")) == ("0220123456", "2026-11-22")
    assert flight_of(names.flight("AF6120", "2026-11-22")) == ("AF6120", "2026-11-22")
    assert place_of("https://hub.example/id/readpoint/CDG-T2E-BD-07") == ("cdg", "")


@pytest.mark.parametrize("uri", [None, 5, "", "urn:x:y", "https://hub.example/id/bag/1.2"])
def test_other_names_are_nobody_s(uri):
    assert bag_of(uri) is flight_of(uri) is container_of(uri) is place_of(uri) is None
