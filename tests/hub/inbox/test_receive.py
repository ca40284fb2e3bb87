import random

import msgspec
import pytest
from aerocast_hub.events.flights import FlightLanded
from aerocast_hub.gateways.registry import add_gateway, revoke_gateway
from aerocast_hub.gateways.tables import GatewayStateRow
from aerocast_hub.gateways.views import loss_accounts
from aerocast_hub.inbox.quarantine import MOST_ROWS
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.sighting import lives_on
from aerocast_hub.inbox.tables import ObservationRow, QuarantineRow
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols.batch import REFUSED, decode_acknowledgements, digest_of
from aerocast_protocols.observations.bags import CodeScan
from aerocast_protocols.observations.gateways import ClockAnchor, Evicted
from sqlalchemy import func, select, text

from tests.hub.inbox.wire import (
    BOOT,
    EPOCH,
    GATEWAY,
    NOW_US,
    SECOND_NS,
    SITE,
    acknowledged,
    batch,
    status,
    tag,
    tags,
)

OTHER_BOOT = bytes(16)
LANE_2 = (GATEWAY, EPOCH, 2)


class Remembers:
    """A feature that writes down what it is given, and stumbles over what it is told to."""

    def __init__(self):
        self.sightings = []
        self.stumbles_over = set()

    async def absorb(self, session, sightings):
        for sighting in sightings:
            if sighting.sequence in self.stumbles_over:
                await session.execute(text("SELECT nonsense"))
        self.sightings += sightings
        return [
            FlightLanded(at_us=each.seen_at_us, flight_id=str(each.sequence), sigma_s=1.0)
            for each in sightings
        ]


@pytest.fixture
def feature():
    return Remembers()


@pytest.fixture
async def inbox(database, feature):
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    metrics = Metrics()
    return Inbox(database, {"remembers": feature.absorb}, Publisher(database, metrics), metrics)


async def stored(database, column=ObservationRow.sequence):
    async with database.reading() as session:
        return list(await session.scalars(select(column).order_by(ObservationRow.sequence)))


async def count(database, row_type):
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(row_type))


async def test_a_batch_is_stored_absorbed_and_acknowledged(inbox, database, feature):
    replies = await inbox.receive([tags(1, 10)])
    assert replies[0].topic == f"aerocast/1/{SITE}/{GATEWAY}/down/ack"
    ack = acknowledged(replies)[LANE_2]
    assert (ack.up_to_sequence, ack.missing_ranges, ack.status) == (10, (), 0)
    assert await stored(database) == list(range(1, 11))
    assert [each.sequence for each in feature.sightings] == list(range(1, 11))
    assert feature.sightings[0].observation == tag(1)
    assert await count(database, OutboxRow) == 12  # and two of the gateway: added, online


async def test_what_comes_ten_times_counts_once(inbox, database, feature):
    for _ in range(5):
        await inbox.receive([tags(1, 10), tags(6, 15), tags(1, 10)])
    assert await stored(database) == list(range(1, 16))
    assert sorted(each.sequence for each in feature.sightings) == list(range(1, 16))
    assert await count(database, OutboxRow) == 17


async def test_any_order_ends_in_the_same_acknowledgement(inbox, database):
    messages = [tags(first, first + 9) for first in range(1, 200, 10)]
    random.Random(753).shuffle(messages)
    replies = []
    for start in range(0, len(messages), 3):
        replies = await inbox.receive(messages[start : start + 3])
    ack = acknowledged(replies)[LANE_2]
    assert (ack.up_to_sequence, ack.missing_ranges) == (200, ())
    assert await stored(database) == list(range(1, 201))


async def test_a_gap_is_named_until_it_is_filled(inbox):
    ack = acknowledged(await inbox.receive([tags(1, 5), tags(11, 15), tags(21, 25)]))[LANE_2]
    assert ack.up_to_sequence == 5
    assert ack.missing_ranges == ((6, 10), (16, 20))
    assert ack.highest_sequence == 25
    ack = acknowledged(await inbox.receive([tags(6, 20)]))[LANE_2]
    assert (ack.up_to_sequence, ack.missing_ranges) == (25, ())


async def test_epochs_and_lanes_count_for_themselves(inbox, database):
    messages = [tags(1, 3, epoch=1), tags(1, 4, epoch=2), batch(1, [tag(1)], lane=1, epoch=2)]
    acks = acknowledged(await inbox.receive(messages))
    assert {key: ack.up_to_sequence for key, ack in acks.items()} == {
        (GATEWAY, 1, 2): 3,
        (GATEWAY, 2, 2): 4,
        (GATEWAY, 2, 1): 1,
    }
    assert await count(database, ObservationRow) == 8


@pytest.mark.parametrize("revoked", [False, True])
async def test_a_gateway_that_may_not_speak_is_told_and_nothing_is_stored(inbox, database, revoked):
    if revoked:
        async with database.writing() as session:
            await add_gateway(session, SITE, "stranger")
            await revoke_gateway(session, SITE, "stranger")
    ack = acknowledged(await inbox.receive([tags(1, 3, gateway="stranger"), tags(1, 2)]))
    assert ack["stranger", EPOCH, 2].status == 4
    assert ack["stranger", EPOCH, 2].retry_after_ms == 60_000
    assert ack[LANE_2].status == 0
    assert await stored(database) == [1, 2]
    assert await inbox.receive([status("online", gateway="stranger")]) == []


BAD = msgspec.msgpack.encode({"kind": "ufo", "device": "sky", "boot_ns": 1})
IMPOSSIBLE = msgspec.msgpack.encode({"kind": "no_read", "device": "a\0b", "boot_ns": 1})


def refused_of(replies):
    """What is refused for good, in the order told."""
    return [
        ack
        for reply in replies
        for ack in decode_acknowledgements(reply.payload)
        if ack.status == REFUSED
    ]


async def test_one_observation_that_cannot_be_read_does_not_take_the_others_with_it(
    inbox, database, feature
):
    replies = await inbox.receive([batch(1, [tag(1), BAD, tag(3), IMPOSSIBLE])])
    (refused,) = refused_of(replies)
    assert (refused.lane, refused.epoch, refused.up_to_sequence) == (2, EPOCH, 0)
    assert refused.missing_ranges == ((2, 2), (4, 4))
    ack = acknowledged(replies)[LANE_2]
    assert (ack.status, ack.up_to_sequence, ack.highest_sequence) == (0, 1, 3)
    assert ack.missing_ranges == ((2, 2),)
    assert await stored(database) == [1, 3]
    assert len(feature.sightings) == 2
    async with database.reading() as session:
        rows = list(await session.scalars(select(QuarantineRow).order_by(QuarantineRow.sequence)))
    assert [(row.part, row.sequence, row.payload) for row in rows] == [
        ("observation", 2, BAD),
        ("observation", 4, IMPOSSIBLE),
    ]


async def test_what_is_refused_is_refused_again_until_set_aside_and_kept_once(inbox, database):
    message = batch(1, [tag(1), BAD, tag(3)])
    for _ in range(3):
        assert refused_of(await inbox.receive([message]))[0].missing_ranges == ((2, 2),)
    assert await count(database, QuarantineRow) == 1
    evicted = Evicted(
        device="agent", boot_ns=1, lane=2, epoch=EPOCH,
        first_sequence=2, last_sequence=2, reason="refused",
    )  # fmt: skip
    replies = await inbox.receive([batch(4, [evicted])])
    assert refused_of(replies) == []
    assert acknowledged(replies)[LANE_2].up_to_sequence == 4
    async with database.reading() as session:
        (account,) = await loss_accounts(session)
    assert (account.received, account.refused, account.unexplained) == (3, 1, 0)
    assert (account.awaited, account.explained) == (0, {})


async def test_what_no_database_can_hold_is_refused_by_name_and_the_rest_stored(
    inbox, database, monkeypatch
):
    class Narrow:
        """A store whose columns are too narrow for one observation."""

        def __init__(self, store):
            self.store = store

        async def append(self, session, rows):
            if any(row.sequence == 3 for row in rows):
                raise OverflowError("Python int too large")
            return await self.store.append(session, rows)

    monkeypatch.setattr(inbox, "_store", Narrow(inbox._store))
    replies = await inbox.receive([tags(1, 2), tags(3, 5), tags(6, 7)])
    assert [each.missing_ranges for each in refused_of(replies)] == [((3, 3),)]
    assert await stored(database) == [1, 2, 4, 5, 6, 7]
    assert await count(database, QuarantineRow) == 1


async def test_a_message_that_cannot_be_read_is_set_aside_and_the_others_stored(inbox, database):
    noise = Message(f"aerocast/1/{SITE}/{GATEWAY}/up/2", b"\xc1noise", NOW_US)
    ack = acknowledged(await inbox.receive([tags(1, 2), noise, tags(3, 4)]))[LANE_2]
    assert ack.up_to_sequence == 4
    assert await count(database, QuarantineRow) == 1


async def test_the_quarantine_is_bounded(inbox, database):
    noise = Message(f"aerocast/1/{SITE}/{GATEWAY}/up/2", b"\xc1noise", NOW_US)
    for _ in range(3):
        await inbox.receive([noise] * (MOST_ROWS // 2 + 1))
    assert await count(database, QuarantineRow) == MOST_ROWS


async def test_a_feature_that_stumbles_over_one_sighting_gets_the_others(inbox, database, feature):
    feature.stumbles_over = {3}
    ack = acknowledged(await inbox.receive([tags(1, 5)]))[LANE_2]
    assert ack.up_to_sequence == 5
    assert await stored(database) == [1, 2, 3, 4, 5]
    assert sorted(each.sequence for each in feature.sightings) == [1, 2, 4, 5]
    async with database.reading() as session:
        row = (await session.scalars(select(QuarantineRow))).one()
    assert (row.part, row.sequence) == ("absorb", 3)
    assert row.reason.startswith("remembers: ")


async def test_nothing_is_acknowledged_and_nothing_refused_when_the_database_is_not_ready(
    inbox, database, engine_kind
):
    async with database.writing() as session:
        cascade = "" if engine_kind == "sqlite" else " CASCADE"
        await session.execute(text(f"DROP TABLE marks{cascade}"))
    assert await inbox.receive([tags(1, 5), tags(6, 9)]) == []
    assert await stored(database) == []


@pytest.mark.parametrize("engine_kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("state", ["08006", "53100", "57P03", "58030"])
@pytest.mark.parametrize("when", ["storing", "absorbing"])
async def test_a_database_that_cannot_just_now_refuses_nothing_for_good(
    inbox, database, feature, monkeypatch, state, when
):
    async def fail(session):
        """As when it starts, or its disk is full: once, and a moment later it can."""
        failing.undo()
        await session.execute(
            text(f"DO $$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '{state}'; END $$")
        )

    class Store:
        async def append(self, session, _rows):
            await fail(session)

    async def absorb(session, _sightings):
        await fail(session)

    with monkeypatch.context() as failing:
        if when == "storing":
            failing.setattr(inbox, "_store", Store())
        else:
            failing.setitem(inbox._absorb, "remembers", absorb)
        assert await inbox.receive([tags(1, 5)]) == []
    assert await count(database, QuarantineRow) == 0
    ack = acknowledged(await inbox.receive([tags(1, 5)]))[LANE_2]
    assert ack.up_to_sequence == 5
    assert await stored(database) == [1, 2, 3, 4, 5]
    assert [each.sequence for each in feature.sightings] == [1, 2, 3, 4, 5]


async def test_a_batch_nobody_foresaw_is_set_aside_and_the_others_stored(inbox, database):
    class Broken(Inbox):
        async def _absorbed(self, *given):
            if any(sighting.sequence == 3 for sighting in given[3]):
                raise OverflowError("Python int too large")
            return []

    broken = Broken(database, {"any": None}, inbox._publisher, Metrics())
    acks = acknowledged(await broken.receive([tags(1, 2), tags(3, 4), tags(5, 6)]))
    assert await stored(database) == [1, 2, 5, 6]
    assert await count(database, QuarantineRow) == 1
    assert acks[LANE_2].missing_ranges == ((3, 4),)


async def test_a_database_that_cuts_every_connection_costs_nothing(inbox, database, engine_kind):
    if engine_kind == "sqlite":
        pytest.skip("SQLite has no connections to cut")
    for first in range(1, 100, 10):
        message = tags(first, first + 9)
        if first % 20 == 1:
            async with database.writing() as session:
                await session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
        while not (replies := await inbox.receive([message])):
            pass
    assert acknowledged(replies)[LANE_2].up_to_sequence == 100
    assert await stored(database) == list(range(1, 101))


async def test_time_comes_from_the_sending_when_the_gateway_knows_it(inbox, feature):
    await inbox.receive([tags(1, 1)])
    sighting = feature.sightings[0]
    assert (sighting.seen_at_us, sighting.clock_quality) == (NOW_US - 999_000_000, 3)


async def test_time_comes_from_the_receipt_when_the_gateway_has_none(inbox, feature):
    await inbox.receive([tags(1, 1, quality=0, wall_ns=0)])
    sighting = feature.sightings[0]
    assert (sighting.seen_at_us, sighting.clock_quality) == (NOW_US - 999_000_000, 0)


async def test_backlog_of_an_earlier_boot_uses_what_is_known_of_that_boot(inbox, feature):
    anchor = ClockAnchor(
        device="agent",
        boot_ns=5 * SECOND_NS,
        boot_id=OTHER_BOOT,
        wall_ns=1_790_000_005 * SECOND_NS,
        source="gps",
        quality=4,
    )
    await inbox.receive([batch(1, [anchor], lane=1)])
    await inbox.receive([tags(7, 7, boot=OTHER_BOOT)])
    sighting = feature.sightings[-1]
    assert (sighting.seen_at_us, sighting.clock_quality) == (1_790_000_007_000_000, 4)


async def test_what_the_gateway_gave_up_is_explained(inbox, database):
    await inbox.receive([tags(1, 10)])
    evicted = Evicted(
        device="agent", boot_ns=1, lane=2, epoch=EPOCH,
        first_sequence=11, last_sequence=20, reason="budget",
    )  # fmt: skip
    replies = await inbox.receive([tags(21, 30, oldest=21), batch(1, [evicted], lane=0)])
    ack = acknowledged(replies)[LANE_2]
    assert (ack.up_to_sequence, ack.missing_ranges) == (30, ())


async def test_a_gateway_is_online_until_its_last_will_of_the_same_life(inbox, database):
    async def state():
        async with database.reading() as session:
            return await session.scalar(select(GatewayStateRow.state))

    await inbox.receive([status("online", epoch=5)])
    assert await state() == "online"
    await inbox.receive([status("gone", epoch=4)])
    assert await state() == "online"
    await inbox.receive([status("gone", epoch=5)])
    assert await state() == "gone"
    await inbox.receive([tags(1, 1, epoch=5)])
    assert await state() == "online"


async def test_a_gateway_is_asked_to_slow_down_when_the_hub_is_crowded(inbox):
    ack = acknowledged(await inbox.receive([tags(1, 2)], slow_down_ms=700))[LANE_2]
    assert (ack.status, ack.retry_after_ms, ack.up_to_sequence) == (3, 700, 2)
    ack = acknowledged(await inbox.receive([tags(3, 4)]))[LANE_2]
    assert (ack.status, ack.retry_after_ms, ack.up_to_sequence) == (0, 0, 4)
    assert BOOT != OTHER_BOOT


async def test_a_batch_nobody_can_read_is_kept_here_and_its_gateway_told(inbox, database):
    whole = tags(1, 3)
    spoilt = [whole._replace(payload=payload) for payload in (whole.payload[:-1], b"", b"\xc1")]
    (stranger,) = [tags(1, 1, gateway="stranger")]
    stranger = stranger._replace(payload=b"noise")
    newer = whole._replace(payload=b"\x98\x02" + whole.payload[2:])
    codec = whole._replace(payload=b"\x98\x01\x09" + whole.payload[3:])
    replies = await inbox.receive([*spoilt, stranger, newer, codec])
    told = [each for reply in replies for each in decode_acknowledgements(reply.payload)]
    assert [reply.topic.split("/")[3] for reply in replies] == [GATEWAY] * 3
    assert {(each.status, each.lane, each.epoch) for each in told} == {(5, 2, 0)}
    assert [each.digest for each in told] == [digest_of(each.payload) for each in spoilt]
    assert await count(database, QuarantineRow) == 6


async def test_a_feature_is_given_the_kinds_it_lives_on_alone(database, inbox):
    given = []

    @lives_on(CodeScan)
    async def take_scans(_session, sightings):
        given.extend(sightings)
        return []

    scan = CodeScan(device="desk", boot_ns=1, content="plate", licence_plate="0057123456")
    picky = Inbox(database, {"scans": take_scans}, inbox._publisher, Metrics())
    await picky.receive([batch(1, [tag(1), scan, tag(3)])])
    assert [each.observation for each in given] == [scan]
