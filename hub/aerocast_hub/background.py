"""What a hub does beside answering: each piece of work runs from the hub's start to its stop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import NamedTuple

from aerocast_hub.alerts.watch import FOLLOWED as WATCHED
from aerocast_hub.alerts.watch import keep_looking
from aerocast_hub.alerts.watch import take_in as watch
from aerocast_hub.announcing.cloud_event import HUB_WITHOUT_NAME
from aerocast_hub.announcing.exchange import Announcer
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.baggage.follow_flights import FOLLOWED as FLIGHTS_MOVED
from aerocast_hub.baggage.follow_flights import take_in as move_bags
from aerocast_hub.baggage.link_client import Account, LinkClient
from aerocast_hub.baggage.link_server import LinkServer
from aerocast_hub.baggage.message_storage import Storage
from aerocast_hub.baggage.partners import read_partners
from aerocast_hub.database.engine import Database
from aerocast_hub.enrolment.revocation import keep_written
from aerocast_hub.epcis.publishing import FOLLOWED as JOURNEYS
from aerocast_hub.epcis.publishing import JourneyPublisher
from aerocast_hub.epcis.subscriptions import Teller
from aerocast_hub.gateways.counting import keep_counted
from aerocast_hub.hosts import read_hosts
from aerocast_hub.live.audience import Audience
from aerocast_hub.orientation.advisor import Advisor
from aerocast_hub.orientation.announcing_guidance import FOLLOWED as GUIDED_BY
from aerocast_hub.orientation.announcing_guidance import (
    keep_looking as keep_looking_at_guidance,
)
from aerocast_hub.orientation.announcing_guidance import take_in as tell_guidance
from aerocast_hub.orientation.arrival_keeping import FOLLOWED as ARRIVED
from aerocast_hub.orientation.arrival_keeping import keep_learning
from aerocast_hub.orientation.arrival_keeping import take_in as keep_arrivals
from aerocast_hub.outbox.follow import Follower
from aerocast_hub.outbox.publish import Publisher, keep_swept
from aerocast_hub.redis_connection import RedisConnection
from aerocast_hub.retention.forget import keep_forgetting
from aerocast_hub.running import running
from aerocast_hub.settings import Settings
from aerocast_hub.storage.archive import archive_before_drop
from aerocast_hub.storage.expiry import keep_expired
from aerocast_hub.storage.objects import open_objects
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.weather.airport_file import read_airports
from aerocast_hub.weather.feeds.feed_file import read_feeds
from aerocast_hub.weather.feeds.running import Feeds
from aerocast_hub.weather.metar_files import follow_files
from aerocast_hub.weather.nowcast_keeping import keep_nowcasts
from aerocast_hub.weather.ramp_judging import write_settings
from aerocast_hub.weather.ramp_watch import keep_judging
from aerocast_hub.weather.wind_keeping import keep_winds
from aerocast_hub.webhooks.destinations import Allowed
from aerocast_hub.webhooks.following import KINDS as PUSHED
from aerocast_hub.webhooks.following import take_in as push
from aerocast_hub.webhooks.sender import Sender

NOWHERE = "https://aerocast.invalid"  # begins names in EPCIS while the hub is not told its own


class Hub(NamedTuple):
    """What a part of the running hub may use.

    Attributes
    ----------
    redis
        What it shares with other hubs, when the settings say where; never the truth.
    clock_news
        Set when a gateway's clock became better than what was stored on it.
    """

    settings: Settings
    database: Database
    publisher: Publisher
    metrics: Metrics
    keys: TokenKeys
    redis: RedisConnection | None
    advisor: Advisor
    audience: Audience
    clock_news: asyncio.Event


Background = Callable[[Hub], AbstractAsyncContextManager[None]]
"""Work that runs as long as the hub does (a feed, a sweep): entered at start, left at stop."""


@asynccontextmanager
async def prepare_accounts(hub: Hub) -> AsyncIterator[None]:
    """Make the signing key and the first roles, if this hub is new."""
    _ = hub.keys.signer
    async with hub.database.writing() as session:
        await seed_roles(session)
    yield


@asynccontextmanager
async def fly_bags(hub: Hub) -> AsyncIterator[None]:
    """Let bags leave and arrive with their flights."""
    follower = Follower("bags", FLIGHTS_MOVED, move_bags, hub.database, hub.publisher)
    async with running(follower.run()):
        yield


@asynccontextmanager
async def raise_alerts(hub: Hub) -> AsyncIterator[None]:
    """Watch bags and flights, and say what somebody must look at."""
    follower = Follower("alerts", WATCHED, watch, hub.database, hub.publisher)
    async with running(follower.run()), running(keep_looking(hub.database, hub.publisher)):
        yield


@asynccontextmanager
async def send_webhooks(hub: Hub) -> AsyncIterator[None]:
    """Push events to others' servers."""
    follower = Follower("webhooks", PUSHED, push, hub.database, hub.publisher)
    allowed = Allowed(hub.settings.webhooks_private, hub.settings.webhook_host_names)
    sender = Sender(hub.database, hub.publisher, allowed)
    async with running(follower.run()), running(sender.run()):
        yield


@asynccontextmanager
async def announce_events(hub: Hub) -> AsyncIterator[None]:
    """Send events to other systems over RabbitMQ, when the settings say where that is."""
    if hub.settings.amqp_url is None:
        yield
        return
    announcer = Announcer(
        hub.settings.amqp_url.get_secret_value(),
        hub.settings.base_url or HUB_WITHOUT_NAME,
        hub.database,
        hub.publisher,
        hub.metrics,
    )
    async with running(announcer.run()):
        yield


@asynccontextmanager
async def forget_what_is_old(hub: Hub) -> AsyncIterator[None]:
    """Keep records and names no longer than the settings say."""
    settings = hub.settings
    days = settings.record_days, settings.personal_days, settings.audit_days
    before_drop = None
    if settings.archive:
        before_drop = partial(archive_before_drop, hub.database, open_objects(settings))
    forgetting = keep_forgetting(hub.database, *days, before_drop)
    async with running(forgetting), running(keep_swept(hub.database)), _objects_expire(settings):
        yield


@asynccontextmanager
async def _objects_expire(settings: Settings) -> AsyncIterator[None]:
    if not settings.days_of_objects:
        yield
        return
    async with running(keep_expired(open_objects(settings), settings.days_of_objects)):
        yield


@asynccontextmanager
async def tell_epcis(hub: Hub) -> AsyncIterator[None]:
    """Keep journeys as EPCIS events, and tell those who subscribed to queries."""
    publisher = JourneyPublisher(hub.settings.base_url or NOWHERE)
    follower = Follower("epcis", JOURNEYS, publisher.take_in, hub.database, hub.publisher)
    teller = Teller(hub.database, hub.publisher)
    async with running(follower.run()), running(teller.run()):
        yield


@asynccontextmanager
async def tell_brokers(hub: Hub) -> AsyncIterator[None]:
    """Keep the files that brokers read of revoked gateways."""
    async with running(keep_written(hub.database, hub.settings)):
        yield


@asynccontextmanager
async def count_losses(hub: Hub) -> AsyncIterator[None]:
    """Keep the loss account among the metrics."""
    async with running(keep_counted(hub.database, hub.metrics)):
        yield


@asynccontextmanager
async def serve_bag_partners(hub: Hub) -> AsyncIterator[None]:
    """Let partners log in over BagMessage links, when the settings say where and who."""
    settings = hub.settings
    if settings.bag_server_port is None or settings.bag_server_partners is None:
        yield
        return
    server = LinkServer(
        settings.bag_link_application,
        read_partners(settings.bag_server_partners),
        hub.database,
        Storage(hub.database, hub.publisher.wake, hub.metrics),
        hub.metrics,
        heartbeat_s=settings.bag_link_heartbeat_s,
    )
    async with (
        server.listening(settings.bag_server_host, settings.bag_server_port),
        running(server.follow(hub.publisher)),
    ):
        yield


@asynccontextmanager
async def fetch_bag_messages(hub: Hub) -> AsyncIterator[None]:
    """Receive baggage messages over a BagMessage link, when the settings say from where."""
    settings = hub.settings
    if settings.bag_link_hosts is None or settings.bag_link_password is None:
        yield
        return
    client = LinkClient(
        read_hosts(settings.bag_link_hosts),
        Account(
            settings.bag_link_application, settings.bag_link_password.get_secret_value().encode()
        ),
        Storage(hub.database, hub.publisher.wake, hub.metrics),
        hub.metrics,
        heartbeat_s=settings.bag_link_heartbeat_s,
    )
    async with running(client.run()):
        yield


@asynccontextmanager
async def advise(hub: Hub) -> AsyncIterator[None]:
    """Keep up with what changes around passengers, and write how much advice was given."""
    advisor = hub.advisor
    async with running(hub.audience.follow()):
        async with running(advisor.counter.keep_writing()):
            yield
        await advisor.counter.write()


@asynccontextmanager
async def tell_apps(hub: Hub) -> AsyncIterator[None]:
    """Tell airlines' apps when the advice of a passenger with a link changes."""
    follower = Follower("guidance", GUIDED_BY, tell_guidance, hub.database, hub.publisher)
    looking = keep_looking_at_guidance(hub.database, hub.publisher)
    async with running(follower.run()), running(looking):
        yield


@asynccontextmanager
async def learn_arrivals(hub: Hub) -> AsyncIterator[None]:
    """Keep how arrivals' bags come to the belts, and learn from it."""
    follower = Follower("arrivals", ARRIVED, keep_arrivals, hub.database, hub.publisher)
    async with running(follower.run()), running(keep_learning(hub.database)):
        yield


@asynccontextmanager
async def read_metar_files(hub: Hub) -> AsyncIterator[None]:
    """Keep reading airport reports, when the settings say from where."""
    if hub.settings.metar_files is None:
        yield
        return
    async with running(follow_files(hub.database, hub.settings.metar_files)):
        yield


@asynccontextmanager
async def watch_ramps(hub: Hub) -> AsyncIterator[None]:
    """Keep the airports' settings where every part of the hub reads them, and watch the ramps."""
    airports = read_airports(hub.settings.airports)
    await write_settings(hub.database, airports)
    async with running(keep_judging(hub.database, hub.publisher)):
        yield


@asynccontextmanager
async def foretell_hours(hub: Hub) -> AsyncIterator[None]:
    """Learn how the weather goes at our airports, and foretell its next hours."""
    async with running(keep_nowcasts(hub.database)):
        yield


@asynccontextmanager
async def ask_services(hub: Hub) -> AsyncIterator[None]:
    """Ask services for weather, when the settings say which."""
    if hub.settings.weather_feeds is None:
        yield
        return
    feeds = Feeds(read_feeds(hub.settings.weather_feeds), hub.database, hub.publisher)
    async with running(feeds.run()):
        yield


@asynccontextmanager
async def follow_winds(hub: Hub) -> AsyncIterator[None]:
    """Learn from the winds aircraft meet, and draw the profile over every site."""
    async with running(keep_winds(hub.database)):
        yield
