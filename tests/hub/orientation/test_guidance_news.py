"""Airlines' apps are told when a passenger's advice changes: once, and without a name."""

import pytest
from aerocast_hub.baggage.bags import find_bag, passenger_of
from aerocast_hub.events.every import decode_event
from aerocast_hub.orientation.announcing_guidance import FOLLOWED, look_and_tell, take_in
from aerocast_hub.orientation.arrival_times import MINUTE_US, Quantiles
from aerocast_hub.orientation.guidance_news import Told, news, what_changed
from aerocast_hub.orientation.passenger_links import Links, revoke_link
from aerocast_hub.outbox.follow import Follower
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.webhooks.following import take_in as push
from aerocast_hub.webhooks.store import add_webhook, deliveries_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.hub.orientation.traveller import PLATE, SURNAME, aircraft, announce, now_us

AT = 1_781_438_400_000_000


def window(minutes):
    return Quantiles(
        p10_us=AT + minutes * MINUTE_US,
        p50_us=AT + (minutes + 5) * MINUTE_US,
        p90_us=AT + (minutes + 10) * MINUTE_US,
    )


def test_a_few_minutes_are_no_news_and_another_belt_is():
    was = Told(phase="arriving", flight="AF1", belt="4", first_bag=window(0))
    moved = Told(phase="arriving", flight="AF1", belt="4", first_bag=window(5))
    assert news("link", was, moved, AT) is None
    late = Told(phase="arriving", flight="AF1", belt="4", first_bag=window(6))
    assert what_changed(was, late) == ("first_bag",)
    other = Told(phase="at_belt", flight="AF1", belt="7")
    told = news("link", was, other, AT)
    assert told.changed == ("phase", "belt", "first_bag")
    assert (told.belt, told.first_from_us) == ("7", None)


states = st.builds(
    Told,
    phase=st.sampled_from(["arriving", "at_belt"]),
    belt=st.sampled_from([None, "4", "7"]),
    first_bag=st.none() | st.integers(0, 60).map(window),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(states, min_size=1, max_size=12))
def test_each_change_is_told_once_however_often_it_is_looked_at(seen):
    told = None
    once = []
    for state in seen:
        for _ in range(3):
            if news("link", told, state, AT) is not None:
                told = state
                once.append(state)
    again, counted = None, 0
    for state in seen:
        if news("link", again, state, AT) is not None:
            again, counted = state, counted + 1
    assert len(once) == counted


@pytest.fixture
async def link(database, tmp_path):
    """A passenger whose flight is due, with a link that staff made and one of their own."""
    await announce(database, tmp_path, minutes_ago=-30)
    links = Links(lambda: "a key of the hub, long enough for it")
    async with database.writing() as session:
        passenger_id = await passenger_of(session, (await find_bag(session, PLATE)).id)
        await links.make_for_finder(session, passenger_id, now_us())
        return (await links.make(session, passenger_id, "eva", 5, now_us())).id


async def told(database):
    async with database.reading() as session:
        rows = await session.scalars(
            select(OutboxRow.body)
            .where(OutboxRow.kind == "guidance_changed")
            .order_by(OutboxRow.id)
        )
        return [decode_event(each) for each in rows]


async def follow(database, name="guidance"):
    follower = Follower(name, FOLLOWED, take_in, database, Publisher(database, Metrics()))
    while await follower.catch_up():
        pass


async def test_an_app_hears_of_a_new_belt_and_of_the_aircraft_once(database, link, tmp_path):
    await follow(database)
    (first,) = await told(database)
    assert (first.link_id, first.flight, first.belt) == (link, "AF6120", "4")
    assert SURNAME not in repr(first)
    await announce(database, tmp_path, minutes_ago=-30, reclaim="7")
    await follow(database)
    await follow(database, "another name, for what was seen before")
    _, second = await told(database)
    assert ("belt" in second.changed, second.belt) == (True, "7")
    events = await aircraft(database, ("landed", 6), ("on_stand", 3))
    async with database.writing() as session:
        await write_events(session, events)
    await follow(database)
    third = (await told(database))[-1]
    assert third.phase == "arriving"
    count = len(await told(database))
    await follow(database)
    assert len(await told(database)) == count


async def test_the_clock_changes_advice_too_and_a_revoked_link_hears_nothing(database, link):
    await follow(database)
    assert await look_and_tell(database, now_us()) == []
    much_later_us = now_us() + 4 * 60 * MINUTE_US
    (changed,) = await look_and_tell(database, much_later_us)
    assert "phase" in changed.changed
    assert await look_and_tell(database, much_later_us) == []
    async with database.writing() as session:
        await revoke_link(session, link, "eva", now_us())
    assert await look_and_tell(database, now_us()) == []


async def test_a_webhook_of_an_airline_hears_of_its_own_flights_alone(database):
    of_af = news("link", None, Told(phase="arriving", flight="AF6120"), AT)
    of_lh = news("link", None, Told(phase="connecting", flight="LH1", onward="BA9"), AT)
    async with database.writing() as session:
        ids = {}
        for airline in ("AF", "BA", "U2", ""):
            hook, _ = await add_webhook(
                session,
                "https://example.com/",
                ["guidance_changed"],
                "eva",
                airlines={airline} - {""},
            )
            ids[airline] = hook.id
        await push(session, [of_af, of_lh])
        heard = {name: len(await deliveries_of(session, each)) for name, each in ids.items()}
    assert heard == {"AF": 1, "BA": 1, "U2": 0, "": 2}
