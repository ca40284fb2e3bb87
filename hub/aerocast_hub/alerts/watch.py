"""Watching bags and flights: alerts follow what changes, and the clock."""

import asyncio
import time
from collections.abc import Iterable, Sequence

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.alerts.conditions import (
    Condition,
    of_aboard,
    of_account,
    of_bag,
    of_belt,
    of_flight,
    of_webhook,
)
from aerocast_hub.alerts.ramp_conditions import of_ramp
from aerocast_hub.alerts.store import open_scopes, settle
from aerocast_hub.baggage.bags import Bag, count_unread, find_bags_by_id
from aerocast_hub.baggage.flight_bags import bags_of_flight, due_of
from aerocast_hub.database.engine import Database
from aerocast_hub.events.accounts import AccountLocked, AccountUnlocked
from aerocast_hub.events.bags import BagChanged, BagForgotten, BagUnread
from aerocast_hub.events.every import Event
from aerocast_hub.events.partners import WebhookDied, WebhookRevived
from aerocast_hub.events.ramp import (
    LowVisibility,
    RampCautioned,
    RampClosed,
    RampReopened,
    RampUnknown,
)
from aerocast_hub.flights.store import Flight, flights_called, flights_on
from aerocast_hub.gateways.registry import our_sites
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.schedule import flight_key
from aerocast_hub.weather.ramp_judging import told_ramp

FOLLOWED = (
    *("bag_changed", "bag_forgotten", "bag_unread", "webhook_died", "webhook_revived"),
    *("account_locked", "account_unlocked"),
    *("ramp_closed", "ramp_reopened", "ramp_cautioned", "ramp_unknown", "low_visibility"),
)
_RampEvent = RampClosed | RampReopened | RampCautioned | RampUnknown | LowVisibility
Wrong = dict[str, list[Condition]]
"""Scope -> all that is wrong within it."""
EVERY_S = 30.0
MINUTE_US = 60_000_000
BEFORE_US = 120 * MINUTE_US  # from so long before departure a flight is looked at by the clock
AFTER_US = 180 * MINUTE_US
UNREAD_MINUTES = 15


async def take_in(session: AsyncSession, events: Sequence[Event]) -> list[Event]:
    """Look at what changed: bags, belts, ramps, webhooks."""
    now_us = time.time_ns() // 1000
    wrong = {**_webhooks(events), **_accounts(events)}
    changed = {each.bag_id for each in events if isinstance(each, BagChanged | BagForgotten)}
    sites = await our_sites(session) if changed else frozenset()
    bags = await find_bags_by_id(session, changed)
    aboard = {bag_id: _may_be_aboard(bag) for bag_id, bag in bags.items()}
    flights = await flights_called(session, {each for called in aboard.values() for each in called})
    wrong |= {f"bag {bag_id}": [] for bag_id in changed}
    for bag_id, bag in sorted(bags.items()):
        theirs = [each for each in flights if _called(each) in aboard[bag_id]]
        wrong[f"bag {bag_id}"] = _bag(bag, theirs, sites, now_us)
        await asyncio.sleep(0)  # others have their turn
    belts = {(each.site, each.belt or "") for each in events if isinstance(each, BagUnread)}
    wrong |= await _belts(session, belts, now_us)
    wrong |= await _ramps(
        session, {each.airport for each in events if isinstance(each, _RampEvent)}
    )
    return await settle(session, wrong, now_us)


async def look_around(session: AsyncSession, now_us: int) -> Wrong:
    """Look at what time alone makes wrong, or right again; only reads."""
    belts = {
        (site, belt)
        for scope in await open_scopes(session, "belt ")
        for _, site, belt in [scope.split(" ", 2)]
    }
    ramps = {scope.removeprefix("ramp ") for scope in await open_scopes(session, "ramp ")}
    return {
        **await _flights(session, now_us),
        **await _belts(session, belts, now_us),
        **await _ramps(session, ramps),
    }


async def keep_looking(database: Database, publisher: Publisher) -> None:
    """Look around every half minute until cancelled."""
    while True:
        try:
            if await look_and_settle(database, time.time_ns() // 1000):
                publisher.wake()
        except (SQLAlchemyError, OSError) as error:
            database.tell_failure("alerts wait", error)
        await asyncio.sleep(EVERY_S)


async def look_and_settle(database: Database, now_us: int) -> list[Event]:
    """Look around without holding anybody up, then settle in a short transaction."""
    async with database.reading() as session:
        wrong = await look_around(session, now_us)
    async with database.writing() as session:
        told = await settle(session, wrong, now_us)
        await write_events(session, told)
    return told


def _may_be_aboard(bag: Bag) -> set[tuple[str, str]]:
    """Give the flights a bag may be aboard, by key and date."""
    stowed = bag.journey.stowed_for
    if stowed is None and not bag.journey.loaded_at:
        return set()
    return {(leg.key, leg.date) for leg in (bag.journey.legs if stowed is None else (stowed,))}


def _called(flight: Flight) -> tuple[str, str]:
    return flight_key(flight.flight), flight.date


def _bag(
    bag: Bag, flights: Sequence[Flight], sites: frozenset[str], now_us: int
) -> list[Condition]:
    """Give what is wrong with a bag, and with its being aboard where our gateways stand."""
    wrong = of_bag(bag.id, bag.journey)
    for flight in flights:
        if (due := due_of(flight)).origin_codes & sites:
            wrong += of_aboard(bag.id, bag.journey, flight.id, due, now_us)
    return wrong


async def _flights(session: AsyncSession, now_us: int) -> Wrong:
    """Look at flights that leave where our gateways stand: elsewhere nobody of ours loads bags."""
    sites = await our_sites(session)
    flights = await flights_on(session, now_us - AFTER_US, now_us + BEFORE_US)
    ids = {each.id for each in flights if due_of(each).origin_codes & sites}
    ids |= {scope.removeprefix("flight ") for scope in await open_scopes(session, "flight ")}
    wrong: Wrong = {}
    for flight_id in sorted(ids):
        found = await bags_of_flight(session, flight_id, now_us)
        wrong[f"flight {flight_id}"] = []
        if found is not None and (due := due_of(found.flight)).origin_codes & sites:
            wrong[f"flight {flight_id}"] = of_flight(flight_id, due, found.bags)
    return wrong


async def _belts(session: AsyncSession, belts: Iterable[tuple[str, str]], now_us: int) -> Wrong:
    wrong: Wrong = {}
    for site, belt in sorted(belts):
        unread = await count_unread(session, site, belt, now_us - UNREAD_MINUTES * MINUTE_US)
        wrong[f"belt {site} {belt}"] = of_belt(site, belt, unread, UNREAD_MINUTES)
    return wrong


async def _ramps(session: AsyncSession, airports: Iterable[str]) -> Wrong:
    wrong: Wrong = {}
    for code in sorted(airports):
        found = await told_ramp(session, code)
        wrong[f"ramp {code}"] = [] if found is None else of_ramp(found)
    return wrong


def _accounts(events: Sequence[Event]) -> Wrong:
    wrong: Wrong = {}
    for each in events:
        if isinstance(each, AccountLocked):
            locked = of_account(each.user_id, each.after_tries)
            wrong[f"account {each.user_id}"] = [locked]
        elif isinstance(each, AccountUnlocked):
            wrong[f"account {each.user_id}"] = []
    return wrong


def _webhooks(events: Sequence[Event]) -> Wrong:
    wrong: Wrong = {}
    for each in events:
        if isinstance(each, WebhookDied):
            dead = of_webhook(each.webhook_id, each.url, each.reason)
            wrong[f"webhook {each.webhook_id}"] = [dead]
        elif isinstance(each, WebhookRevived):
            wrong[f"webhook {each.webhook_id}"] = []
    return wrong
