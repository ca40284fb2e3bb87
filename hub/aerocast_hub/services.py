"""The four services: what each is made of. A hub runs all of them, or any subset."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from litestar.types import ControllerRouterHandler

from aerocast_hub.alerts.controller import AlertController
from aerocast_hub.alerts.watch import FOLLOWED as WATCHED
from aerocast_hub.alerts.watch import keep_looking
from aerocast_hub.alerts.watch import take_in as watch
from aerocast_hub.announcing.cloud_event import HUB_WITHOUT_NAME
from aerocast_hub.announcing.controller import EventController, describe_events
from aerocast_hub.announcing.exchange import Announcer
from aerocast_hub.audit.controller import AuditController
from aerocast_hub.auth.accounts.own_controller import OwnAccountController
from aerocast_hub.auth.accounts.people_controller import PeopleController
from aerocast_hub.auth.badge_controller import BadgeController
from aerocast_hub.auth.badges import absorb as absorb_badges
from aerocast_hub.auth.controller import AuthController, public_keys
from aerocast_hub.auth.role_controller import BindingController, RoleController
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.second_factors.own_controller import OwnFactorsController
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.baggage.absorb import absorb as absorb_bags
from aerocast_hub.baggage.absorb import retime as retime_bags
from aerocast_hub.baggage.asked_controller import AskedBaggageController
from aerocast_hub.baggage.controller import (
    BaggageController,
    ContainerController,
    PlateController,
    TagHistoryController,
)
from aerocast_hub.baggage.flight_controller import FlightBagsController
from aerocast_hub.baggage.follow_flights import FOLLOWED as FLIGHTS_MOVED
from aerocast_hub.baggage.follow_flights import take_in as move_bags
from aerocast_hub.baggage.insight_controller import InsightController
from aerocast_hub.baggage.link_client import Account, LinkClient
from aerocast_hub.baggage.link_server import LinkServer
from aerocast_hub.baggage.message_controller import BagMessageController
from aerocast_hub.baggage.message_storage import Storage
from aerocast_hub.baggage.partners import read_partners
from aerocast_hub.cache.answers import Answers
from aerocast_hub.database.engine import Database
from aerocast_hub.enrolment.controller import ClaimController, EnrolmentController
from aerocast_hub.enrolment.hook_controller import HookController
from aerocast_hub.enrolment.revocation import keep_written
from aerocast_hub.epcis.controller import EpcisController
from aerocast_hub.epcis.publishing import FOLLOWED as JOURNEYS
from aerocast_hub.epcis.publishing import JourneyPublisher
from aerocast_hub.epcis.query_controller import QueryController
from aerocast_hub.epcis.subscriptions import Teller
from aerocast_hub.flights.absorb import absorb as absorb_flights
from aerocast_hub.flights.absorb import retime as retime_flights
from aerocast_hub.flights.controller import FlightController
from aerocast_hub.gateways.controller import GatewayController
from aerocast_hub.gateways.counting import keep_counted
from aerocast_hub.gateways.observations import ObservationController
from aerocast_hub.gateways.quarantine import QuarantineController
from aerocast_hub.gateways.state import absorb as absorb_gateways
from aerocast_hub.gateways.state import retime as retime_gateways
from aerocast_hub.hosts import read_hosts
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.retime import Retimer
from aerocast_hub.inbox.run import listening
from aerocast_hub.inbox.sighting import Absorb, Retime
from aerocast_hub.ingest.controller import IngestController
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
from aerocast_hub.orientation.arrivals_controller import ArrivalTimesController
from aerocast_hub.orientation.boards_controller import BoardController
from aerocast_hub.orientation.connections_controller import ConnectionController
from aerocast_hub.orientation.controller import GuidanceController
from aerocast_hub.orientation.links_controller import PassengerLinkController
from aerocast_hub.orientation.places.controller import PlaceController
from aerocast_hub.orientation.routes_controller import RouteController
from aerocast_hub.outbox.follow import Follower
from aerocast_hub.outbox.publish import Publisher, keep_swept
from aerocast_hub.privacy.controller import PrivacyController
from aerocast_hub.redis_connection import RedisConnection
from aerocast_hub.retention.forget import keep_forgetting
from aerocast_hub.running import running
from aerocast_hub.settings import Settings
from aerocast_hub.storage.archive import archive_before_drop
from aerocast_hub.storage.objects import open_objects
from aerocast_hub.summary.controller import SummaryController
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.watchdog import feeding_watchdog
from aerocast_hub.weather.airport_file import read_airports
from aerocast_hub.weather.asked_controller import AskedWeatherController
from aerocast_hub.weather.controller import WeatherController
from aerocast_hub.weather.feeds.feed_controller import FeedController
from aerocast_hub.weather.feeds.feed_file import read_feeds
from aerocast_hub.weather.feeds.running import Feeds
from aerocast_hub.weather.forecast_controller import ForecastController
from aerocast_hub.weather.local_weather import absorb as absorb_local_weather
from aerocast_hub.weather.local_weather import retime as retime_local_weather
from aerocast_hub.weather.metar_files import follow_files
from aerocast_hub.weather.nowcast_controller import NowcastController
from aerocast_hub.weather.nowcast_keeping import keep_nowcasts
from aerocast_hub.weather.ramp_judging import write_settings
from aerocast_hub.weather.ramp_watch import keep_judging
from aerocast_hub.weather.station_controller import StationController
from aerocast_hub.weather.wind_controller import WindController
from aerocast_hub.weather.wind_keeping import keep_winds
from aerocast_hub.weather.winds import absorb as absorb_winds
from aerocast_hub.weather.winds import retime as retime_winds
from aerocast_hub.web.account_pages import ACCOUNT_PAGES
from aerocast_hub.web.board_pages import BOARD_PAGES
from aerocast_hub.web.link_pages import LINK_PAGES
from aerocast_hub.web.pages import OPERATOR_PAGES
from aerocast_hub.web.passenger import PASSENGER_PAGES
from aerocast_hub.web.people_pages import PEOPLE_PAGES
from aerocast_hub.web.provider_pages import PROVIDER_PAGES
from aerocast_hub.web.session import SESSION_HANDLERS
from aerocast_hub.webhooks.controller import WebhookController
from aerocast_hub.webhooks.following import KINDS as PUSHED
from aerocast_hub.webhooks.following import take_in as push
from aerocast_hub.webhooks.sender import Sender


class Hub(NamedTuple):
    """What a part of the running hub may use.

    Attributes
    ----------
    redis
        What it shares with other hubs, when the settings say where; never the truth.
    answers
        Answers kept for a while, there or in memory.
    clock_news
        Set when a gateway's clock became better than what was stored on it.
    """

    settings: Settings
    database: Database
    publisher: Publisher
    metrics: Metrics
    keys: TokenKeys
    redis: RedisConnection | None
    answers: Answers
    advisor: Advisor
    audience: Audience
    clock_news: asyncio.Event


Background = Callable[[Hub], AbstractAsyncContextManager[None]]
"""Work that runs as long as the hub does (a feed, a sweep): entered at start, left at stop."""


class Service(NamedTuple):
    """One of the four.

    Attributes
    ----------
    port
        Where it listens when it runs alone.
    controllers
        Its route handlers.
    absorb
        Features that live on sightings, by name, in the order the inbox calls them.
    retime
        How each of them takes sightings whose time was corrected.
    background
        Its own work beside requests, in every hub that runs it.
    alone
        Work that exactly one hub does at a time: sweeps, feeds, whatever takes in events.
    requires
        Services it asks, in process when they are loaded too.
    """

    name: str
    port: int
    controllers: tuple[ControllerRouterHandler, ...]
    absorb: Mapping[str, Absorb]
    retime: Mapping[str, Retime] = MappingProxyType({})
    background: tuple[Background, ...] = ()
    alone: tuple[Background, ...] = ()
    requires: tuple[str, ...] = ()


@asynccontextmanager
async def prepare_accounts(hub: Hub) -> AsyncIterator[None]:
    """Make the signing key and the first roles, if this hub is new."""
    _ = hub.keys.signer
    async with hub.database.writing() as session:
        await seed_roles(session)
    yield


@asynccontextmanager
async def take_in(hub: Hub) -> AsyncIterator[None]:
    """Listen to the gateways, for every feature of every service."""
    async with (
        listening(hub.settings, inbox_of(hub), hub.metrics) as source,
        feeding_watchdog(source),
    ):
        yield


@asynccontextmanager
async def correct_times(hub: Hub) -> AsyncIterator[None]:
    """Put what was stored before a gateway knew the time on its better clock."""
    retimer = Retimer(hub.database, every_retime(), hub.publisher, hub.metrics, hub.clock_news)
    async with running(retimer.run()):
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
    sender = Sender(hub.database, hub.publisher, private_too=hub.settings.webhooks_private)
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
    async with running(forgetting), running(keep_swept(hub.database)):
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
    airports = read_airports(hub.settings.airports, hub.settings.runways)
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


REGISTRY: Mapping[str, Service] = {
    service.name: service
    for service in (
        Service(
            "auth",
            8001,
            controllers=(
                AuthController,
                public_keys,
                OwnAccountController,
                OwnFactorsController,
                PeopleController,
                BadgeController,
                RoleController,
                BindingController,
                AuditController,
                *SESSION_HANDLERS,
                *ACCOUNT_PAGES,
                *PROVIDER_PAGES,
                *PEOPLE_PAGES,
            ),
            absorb={"badges": absorb_badges},
            background=(prepare_accounts,),
        ),
        Service(
            "baggage",
            8002,
            controllers=(
                *OPERATOR_PAGES,
                GatewayController,
                ClaimController,
                EnrolmentController,
                HookController,
                ObservationController,
                QuarantineController,
                FlightController,
                BaggageController,
                ContainerController,
                PlateController,
                TagHistoryController,
                FlightBagsController,
                InsightController,
                AlertController,
                BagMessageController,
                WebhookController,
                EventController,
                AskedBaggageController,
                describe_events,
                EpcisController,
                QueryController,
                SummaryController,
                IngestController,
                PrivacyController,
            ),
            absorb={
                "gateways": absorb_gateways,
                "flights": absorb_flights,
                "bags": absorb_bags,
            },
            retime={
                "gateways": retime_gateways,
                "flights": retime_flights,
                "bags": retime_bags,
            },
            background=(take_in, count_losses, tell_brokers, serve_bag_partners),
            alone=(
                correct_times,
                fly_bags,
                raise_alerts,
                send_webhooks,
                announce_events,
                forget_what_is_old,
                tell_epcis,
                fetch_bag_messages,
            ),
            requires=("auth",),
        ),
        Service(
            "weather",
            8003,
            controllers=(
                WeatherController,
                WindController,
                ForecastController,
                NowcastController,
                AskedWeatherController,
                FeedController,
                StationController,
            ),
            absorb={"winds": absorb_winds, "local_weather": absorb_local_weather},
            retime={"winds": retime_winds, "local_weather": retime_local_weather},
            alone=(read_metar_files, follow_winds, watch_ramps, foretell_hours, ask_services),
            requires=("auth",),
        ),
        Service(
            "orientation",
            8004,
            controllers=(
                *(GuidanceController, PassengerLinkController, PlaceController, RouteController),
                *(ArrivalTimesController, ConnectionController),
                *(BoardController, *PASSENGER_PAGES, *LINK_PAGES, *BOARD_PAGES),
            ),
            absorb={},
            background=(advise,),
            alone=(learn_arrivals, tell_apps),
            requires=("auth", "baggage", "weather"),
        ),
    )
}
"""In this order. A feature adds its controller, its absorb function and its background here.

The inbox runs in ``baggage`` alone, so every absorb function of any service that lives on
sightings is called there (`every_absorb`): the database is the meeting place.
"""

ALL_SERVICES_PORT = 8000
NOWHERE = "https://aerocast.invalid"  # begins names in EPCIS while the hub is not told its own


def every_absorb() -> dict[str, Absorb]:
    """Give every feature's absorb function by the feature's name."""
    return {
        name: absorb for service in REGISTRY.values() for name, absorb in service.absorb.items()
    }


def inbox_of(hub: Hub) -> Inbox:
    """Give an inbox; a hub may have several, for what is stored is told by the database."""
    inbox = Inbox(hub.database, every_absorb(), hub.publisher, hub.metrics)
    inbox.on_better_clock = hub.clock_news.set
    return inbox


def every_retime() -> dict[str, Retime]:
    """Give how every feature takes corrected times, by the feature's name."""
    return {
        name: retime for service in REGISTRY.values() for name, retime in service.retime.items()
    }
