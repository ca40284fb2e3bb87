"""Watching bags and flights: alerts follow what changes, and the clock."""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.alerts.conditions import Condition, of_bag, of_belt, of_flight, of_webhook
from aerocast_hub.alerts.ramp_conditions import of_ramp
from aerocast_hub.alerts.store import open_scopes, settle
from aerocast_hub.baggage.bags import Bag, count_unread, find_bag_by_id
from aerocast_hub.baggage.flight_bags import bags_of_flight, due_of
from aerocast_hub.database.engine import Database
from aerocast_hub.events import (
    BagChanged,
    BagForgotten,
    BagUnread,
    Event,
    LowVisibility,
    RampCautioned,
    RampClosed,
    RampReopened,
    RampUnknown,
    WebhookDied,
    WebhookRevived,
)
from aerocast_hub.flights.store import flights_called, flights_on
from aerocast_hub.gateways.registry import our_sites
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.weather.ramp_judging import told_ramp

log = logging.getLogger(__name__)

FOLLOWED = (
    *("bag_changed", "bag_forgotten", "bag_unread", "webhook_died", "webhook_revived"),
    *("ramp_closed", "ramp_reopened", "ramp_cautioned", "ramp_unknown", "low_visibility"),
)
_RampEvent = RampClosed | RampReopened | RampCautioned | RampUnknown | LowVisibility
EVERY_S = 30.0
MINUTE_US = 60_000_000
BEFORE_US = 120 * MINUTE_US  # from so long before departure a flight is looked at by the clock
AFTER_US = 360 * MINUTE_US
UNREAD_MINUTES = 15


async def take_in(session: AsyncSession, events: Sequence[Event]) -> list[Event]:
    """Look at the bags that changed, and at the flights they are on."""
    now_us = time.time_ns() // 1000
    told: list[Event] = []
    changed = {each.bag_id for each in events if isinstance(each, BagChanged | BagForgotten)}
    flights: set[tuple[str, str]] = set()
    for bag_id in sorted(changed):
        bag = await find_bag_by_id(session, bag_id)
        told += await settle(session, f"bag {bag_id}", _of_bag(bag), now_us)
        if bag is not None:
            legs = [*bag.journey.legs, *filter(None, [bag.journey.stowed_for])]
            flights |= {(leg.key, leg.date) for leg in legs}
    ids = await flights_called(session, flights)
    told += await _look_at_flights(session, ids, now_us)
    belts = {(each.site, each.belt or "") for each in events if isinstance(each, BagUnread)}
    told += await _look_at_belts(session, belts, now_us)
    ramps = {each.airport for each in events if isinstance(each, _RampEvent)}
    told += await _look_at_ramps(session, ramps, now_us)
    return told + await _look_at_webhooks(session, events, now_us)


async def look_around(session: AsyncSession, now_us: int) -> list[Event]:
    """Look at what time alone makes wrong, or right again."""
    flights = await flights_on(session, now_us - AFTER_US, now_us + BEFORE_US)
    ids = {each.id for each in flights}
    ids |= {scope.removeprefix("flight ") for scope in await open_scopes(session, "flight ")}
    belts = {
        (site, belt)
        for scope in await open_scopes(session, "belt ")
        for _, site, belt in [scope.split(" ", 2)]
    }
    told = await _look_at_flights(session, sorted(ids), now_us)
    ramps = {scope.removeprefix("ramp ") for scope in await open_scopes(session, "ramp ")}
    told += await _look_at_ramps(session, ramps, now_us)
    return told + await _look_at_belts(session, belts, now_us)


async def keep_looking(database: Database, publisher: Publisher) -> None:
    """Look around every half minute until cancelled."""
    while True:
        try:
            async with database.writing() as session:
                told = await look_around(session, time.time_ns() // 1000)
                await write_events(session, told)
            if told:
                publisher.wake()
        except (SQLAlchemyError, OSError):
            log.exception("alerts wait: the database does not answer")
        await asyncio.sleep(EVERY_S)


async def _look_at_ramps(
    session: AsyncSession, airports: Iterable[str], now_us: int
) -> list[Event]:
    told: list[Event] = []
    for code in sorted(airports):
        found = await told_ramp(session, code)
        wrong = [] if found is None else of_ramp(found)
        told += await settle(session, f"ramp {code}", wrong, now_us)
    return told


def _of_bag(bag: Bag | None) -> list[Condition]:
    return [] if bag is None else of_bag(bag.id, bag.journey)


async def _look_at_flights(
    session: AsyncSession, flight_ids: Iterable[str], now_us: int
) -> list[Event]:
    """Look at flights that leave where our gateways stand: elsewhere nobody of ours loads bags."""
    sites = await our_sites(session)
    told: list[Event] = []
    for flight_id in flight_ids:
        found = await bags_of_flight(session, flight_id, now_us)
        wrong: list[Condition] = []
        if found is not None and (due := due_of(found.flight)).origin_codes & sites:
            wrong = of_flight(flight_id, due, found.bags)
        told += await settle(session, f"flight {flight_id}", wrong, now_us)
    return told


async def _look_at_belts(
    session: AsyncSession, belts: Iterable[tuple[str, str]], now_us: int
) -> list[Event]:
    told: list[Event] = []
    for site, belt in sorted(belts):
        unread = await count_unread(session, site, belt, now_us - UNREAD_MINUTES * MINUTE_US)
        wrong = of_belt(site, belt, unread, UNREAD_MINUTES)
        told += await settle(session, f"belt {site} {belt}", wrong, now_us)
    return told


async def _look_at_webhooks(
    session: AsyncSession, events: Sequence[Event], now_us: int
) -> list[Event]:
    wrong: dict[str, list[Condition]] = {}
    for each in events:
        if isinstance(each, WebhookDied):
            wrong[each.webhook_id] = [of_webhook(each.webhook_id, each.url, each.reason)]
        elif isinstance(each, WebhookRevived):
            wrong[each.webhook_id] = []
    told: list[Event] = []
    for webhook_id, conditions in wrong.items():
        told += await settle(session, f"webhook {webhook_id}", conditions, now_us)
    return told
