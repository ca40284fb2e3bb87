"""Times put right once a gateway knows them: what is stored, and what the features made of it."""

import json
import time

import pytest
from aerocast_hub.baggage.bags import find_bag
from aerocast_hub.events.every import decode_event
from aerocast_hub.events.gateways import GatewayClockCorrected
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.flights.tables import FlightRow, GroundEventRow
from aerocast_hub.gateways.lives import view_lives
from aerocast_hub.gateways.observations import list_stored
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.retime import Retimer
from aerocast_hub.inbox.tables import BootClockRow, ObservationRow
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_hub.services import every_absorb, every_retime
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.weather.tables import AircraftWindRow
from aerocast_protocols.observations.aircraft import AircraftGroundEvent, AircraftWeather
from aerocast_protocols.observations.bags import BagPassage, UnreadBag
from aerocast_protocols.observations.gateways import ClockAnchor
from sqlalchemy import func, select

from tests.hub.inbox.wire import (
    BOOT,
    EPOCH,
    GATEWAY,
    NOW_US,
    SECOND_NS,
    SITE,
    acknowledged,
    batch,
    tags,
)

OLD_BOOT = b"old boot........"
OLD_EPOCH = 6 << 32 | 0xCAFE
DAY_US = 86_400_000_000
PLATE = "0220123456"
NO_CLOCK = {"quality": 0, "wall_ns": 60 * SECOND_NS}  # it thinks it is 1970


def passage(at_s, belt="belt-4", point="sortation"):
    return BagPassage(
        device="portal",
        boot_ns=at_s * SECOND_NS,
        belt=belt,
        point=point,
        epc=b"\1" * 12,
        sigma_ms=20.0,
        reads=9,
        confidence=0.99,
        licence_plate=PLATE,
    )


def anchor(at_s, wall_us, *, quality=3, boot=BOOT):
    return ClockAnchor(
        device="agent",
        boot_ns=at_s * SECOND_NS,
        boot_id=boot,
        wall_ns=wall_us * 1000,
        source="ntp",
        quality=quality,
    )


@pytest.fixture
async def hub(database):
    """The inbox and the retimer of a hub with every feature."""
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    publisher = Publisher(database, metrics)
    inbox = Inbox(database, every_absorb(), publisher, metrics)
    retimer = Retimer(database, every_retime(), publisher, metrics)
    calls = []
    inbox.on_better_clock = lambda: calls.append(1)
    return inbox, retimer, calls


async def times(database, epoch=EPOCH):
    async with database.reading() as session:
        rows = await session.execute(
            select(ObservationRow.seen_at_us, ObservationRow.clock_quality)
            .where(ObservationRow.epoch == epoch, ObservationRow.kind == "tag_read")
            .order_by(ObservationRow.lane, ObservationRow.sequence)
        )
        return [tuple(row) for row in rows]


async def events(database, kind):
    async with database.reading() as session:
        rows = await session.scalars(
            select(OutboxRow.body).where(OutboxRow.kind == kind).order_by(OutboxRow.id)
        )
        return [decode_event(body) for body in rows]


async def test_what_came_before_the_anchor_is_put_on_its_clock(hub, database):
    inbox, retimer, calls = hub
    delayed_us = NOW_US + 600_000_000  # ten minutes under way: the receipt is that much off
    await inbox.receive([tags(1, 5, **NO_CLOCK, received_at_us=delayed_us)])
    assert (await times(database))[0] == (delayed_us - 999_000_000, 0)
    assert calls == []
    told = batch(1, [anchor(1000, NOW_US)], lane=1, **NO_CLOCK, received_at_us=delayed_us)
    await inbox.receive([told])
    assert calls == [1]
    assert await retimer.correct() == 5
    assert await times(database) == [(NOW_US - (1000 - n) * 1_000_000, 3) for n in range(1, 6)]
    assert await retimer.correct() == 0
    (event,) = await events(database, "gateway_clock_corrected")
    assert isinstance(event, GatewayClockCorrected)
    assert (event.gateway, event.observations) == (GATEWAY, 5)


async def test_a_correction_that_was_cut_short_goes_on_where_it_was(hub, database, monkeypatch):
    inbox, retimer, _ = hub
    monkeypatch.setattr("aerocast_hub.inbox.retime.ROWS_AT_ONCE", 10)
    delayed_us = NOW_US + 600_000_000
    await inbox.receive([tags(1, 25, **NO_CLOCK, received_at_us=delayed_us)])
    await inbox.receive([tags(26, 30, received_at_us=delayed_us)])
    cut = Retimer(database, {}, inbox._publisher, Metrics())
    put_right = cut._put_right

    async def once(session, retimed):
        monkeypatch.setattr(cut, "_put_right", None)
        return await put_right(session, retimed)

    monkeypatch.setattr(cut, "_put_right", once)
    with pytest.raises(TypeError):
        await cut.correct()
    assert sorted({quality for _, quality in await times(database)}) == [0, 3]
    assert await retimer.correct() == 15
    assert await times(database) == [(NOW_US - (1000 - n) * 1_000_000, 3) for n in range(1, 31)]


async def test_a_journey_is_folded_again_at_the_right_times_and_told_once(hub, database):
    inbox, retimer, _ = hub
    late_us = NOW_US + 3 * 3_600_000_000
    seen = [passage(100, "belt-1", "screening"), passage(200), UnreadBag(
        device="eye", boot_ns=300 * SECOND_NS, belt="belt-4", point="sortation"
    )]  # fmt: skip
    await inbox.receive([batch(1, seen, lane=0, **NO_CLOCK, received_at_us=late_us)])
    passed = len(await events(database, "bag_passed"))
    assert passed == 2
    await inbox.receive([batch(1, [anchor(1000, NOW_US)], lane=1, received_at_us=late_us)])
    await retimer.correct()
    async with database.reading() as session:
        bag = await find_bag(session, PLATE)
    assert [each.first_at_us for each in bag.journey.passed] == [
        NOW_US - 900_000_000,
        NOW_US - 800_000_000,
    ]
    assert len(await events(database, "bag_unread")) == 1
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ObservationRow)) == 4


async def test_a_flight_gets_the_time_its_aircraft_really_stopped(hub, database, tmp_path):
    inbox, retimer, _ = hub
    due_s = NOW_US // 1_000_000 - 700
    flight = {
        "flight": "AF7",
        "date": time.strftime("%Y-%m-%d", time.gmtime(due_s)),
        "icao": "3944ef",
        "from": "CDG",
        "to": "TLS",
        "scheduled_on_block": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due_s)),
    }
    file = tmp_path / "flights.jsonl"
    file.write_text(json.dumps(flight) + "\n")
    await import_flights(database, file)
    late_us = NOW_US + 9 * 3_600_000_000  # by its receipt it stopped nine hours too late
    stopped = AircraftGroundEvent(
        device="sky", boot_ns=300 * SECOND_NS, icao="3944ef", event="on_stand",
        latitude_deg=43.63, longitude_deg=1.36, known_at_boot_ns=360 * SECOND_NS, sigma_s=5.0,
    )  # fmt: skip
    wind = AircraftWeather(
        device="sky", boot_ns=310 * SECOND_NS, icao="3944ef", latitude_deg=43.6,
        longitude_deg=1.3, altitude_ft=3000.0, wind_direction_deg=300.0, wind_speed_kt=12.0,
        source="derived",
    )  # fmt: skip
    await inbox.receive([batch(1, [stopped, wind], lane=1, **NO_CLOCK, received_at_us=late_us)])
    async with database.reading() as session:
        assert await session.scalar(select(FlightRow.on_block_us)) is None
    await inbox.receive([batch(3, [anchor(1000, NOW_US)], lane=1, received_at_us=late_us)])
    await retimer.correct()
    async with database.reading() as session:
        assert await session.scalar(select(FlightRow.on_block_us)) == NOW_US - 700_000_000
        assert await session.scalar(select(GroundEventRow.at_us)) == NOW_US - 700_000_000
        assert await session.scalar(select(AircraftWindRow.seen_at_us)) == NOW_US - 690_000_000
    assert len(await events(database, "flight_on_block")) == 1


@pytest.mark.parametrize(
    "claim",
    [
        {"quality": 4, "wall_ns": NOW_US * 1000 - 1024 * 7 * DAY_US * 1000},
        {"quality": 3, "wall_ns": 60 * SECOND_NS},
        {"quality": 3, "wall_ns": NOW_US * 1000 + 400 * DAY_US * 1000},
        {"quality": 2, "wall_ns": NOW_US * 1000 - 3_600 * SECOND_NS},
    ],
    ids=["week-rollover", "1970", "next-year", "local-time"],
)
async def test_a_senseless_clock_changes_no_order_and_loses_nothing(hub, database, claim):
    inbox, retimer, _ = hub
    await inbox.receive([tags(1, 5)])
    replies = await inbox.receive([tags(6, 10, **claim), tags(11, 15)])
    (ack,) = acknowledged(replies).values()
    assert (ack.up_to_sequence, ack.missing_ranges) == (15, ())
    assert await retimer.correct() == 0
    assert await times(database) == [(NOW_US - (1000 - n) * 1_000_000, 3) for n in range(1, 16)]


async def test_a_wall_clock_that_jumped_first_and_was_right_later_keeps_one_order(hub, database):
    inbox, retimer, _ = hub
    wrong = {"quality": 3, "wall_ns": (NOW_US - 7_200_000_000) * 1000}
    await inbox.receive([tags(1, 5, **wrong)])
    await inbox.receive([tags(6, 10)])
    assert await retimer.correct() == 5
    assert await times(database) == [(NOW_US - (1000 - n) * 1_000_000, 3) for n in range(1, 11)]


async def test_a_boot_that_never_knew_the_time_is_flagged_and_bounded(hub, database):
    inbox, retimer, _ = hub
    yesterday_us = NOW_US - DAY_US
    before = {"boot": b"first boot......", "boot_sent": b"first boot......", "epoch": 5 << 32}
    await inbox.receive(
        [tags(1, 5, **before, wall_ns=yesterday_us * 1000, received_at_us=yesterday_us)]
    )
    backlog = {"boot": OLD_BOOT, "epoch": OLD_EPOCH}
    await inbox.receive([tags(1, 2), tags(61, 80, **backlog), tags(1, 60, **backlog)])
    await retimer.correct()
    old = await times(database, OLD_EPOCH)
    assert len(old) == 80
    assert [at_us for at_us, _ in old] == sorted(at_us for at_us, _ in old)
    assert {quality for _, quality in old} == {0}
    async with database.reading() as session:
        first, never, present = await view_lives(session, SITE, GATEWAY)
        stored = await list_stored(session, limit=1000)
    assert [each.is_anchored for each in (first, never, present)] == [True, False, True]
    last_trusted_us = yesterday_us - 995_000_000
    boot_began_us = NOW_US - 1000_000_000
    assert (never.not_before_us, never.not_after_us) == (last_trusted_us, boot_began_us)
    assert (first.not_before_us, first.not_after_us) == (None, None)
    flagged = {each.epoch for each in stored if each.not_before_us is not None}
    assert flagged == {OLD_EPOCH}


async def test_an_anchor_of_an_earlier_boot_that_comes_last_puts_that_boot_right(hub, database):
    inbox, retimer, _ = hub
    backlog = {"boot": OLD_BOOT, "epoch": OLD_EPOCH}
    await inbox.receive([tags(1, 20, **backlog)])
    days_ago_us = NOW_US - 3 * DAY_US
    late = batch(1, [anchor(500, days_ago_us, boot=OLD_BOOT, quality=4)], lane=1, **backlog)
    await inbox.receive([late])
    await retimer.correct()
    assert await times(database, OLD_EPOCH) == [
        (days_ago_us - (500 - n) * 1_000_000, 4) for n in range(1, 21)
    ]
    async with database.reading() as session:
        clock = await session.scalar(select(BootClockRow).where(BootClockRow.boot_id == OLD_BOOT))
    assert (clock.corrected_quality, clock.was_live) == (4, False)
