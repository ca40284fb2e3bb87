"""The four services: what each is made of. A hub runs all of them, or any subset."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType
from typing import NamedTuple

from litestar.types import ControllerRouterHandler

from aerocast_hub.alerts.controller import AlertController
from aerocast_hub.announcing.controller import EventController, describe_events
from aerocast_hub.audit.controller import AuditController
from aerocast_hub.auth.accounts.own_controller import OwnAccountController
from aerocast_hub.auth.accounts.people_controller import PeopleController
from aerocast_hub.auth.badge_controller import BadgeController
from aerocast_hub.auth.badges import absorb as absorb_badges
from aerocast_hub.auth.controller import AuthController, public_keys
from aerocast_hub.auth.role_controller import BindingController, RoleController
from aerocast_hub.auth.second_factors.own_controller import OwnFactorsController
from aerocast_hub.background import (
    Background,
    Hub,
    advise,
    announce_events,
    ask_services,
    count_losses,
    fetch_bag_messages,
    fly_bags,
    follow_winds,
    foretell_hours,
    forget_what_is_old,
    learn_arrivals,
    prepare_accounts,
    raise_alerts,
    read_metar_files,
    send_webhooks,
    serve_bag_partners,
    tell_apps,
    tell_brokers,
    tell_epcis,
    watch_ramps,
)
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
from aerocast_hub.baggage.insight_controller import InsightController
from aerocast_hub.baggage.message_controller import BagMessageController
from aerocast_hub.enrolment.controller import ClaimController, EnrolmentController
from aerocast_hub.enrolment.file_controller import GatewayFileController
from aerocast_hub.enrolment.hook_controller import HookController
from aerocast_hub.epcis.controller import EpcisController
from aerocast_hub.epcis.query_controller import QueryController
from aerocast_hub.flights.absorb import absorb as absorb_flights
from aerocast_hub.flights.absorb import retime as retime_flights
from aerocast_hub.flights.controller import FlightController
from aerocast_hub.gateways.controller import GatewayController
from aerocast_hub.gateways.observations import ObservationController
from aerocast_hub.gateways.order_controller import OrderController
from aerocast_hub.gateways.quarantine import QuarantineController
from aerocast_hub.gateways.state import absorb as absorb_gateways
from aerocast_hub.gateways.state import retime as retime_gateways
from aerocast_hub.inbox.courier import Courier
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.retime import Retimer
from aerocast_hub.inbox.run import listening
from aerocast_hub.inbox.sighting import Absorb, Retime
from aerocast_hub.ingest.controller import IngestController
from aerocast_hub.orientation.arrivals_controller import ArrivalTimesController
from aerocast_hub.orientation.boards_controller import BoardController
from aerocast_hub.orientation.connections_controller import ConnectionController
from aerocast_hub.orientation.controller import GuidanceController
from aerocast_hub.orientation.links_controller import PassengerLinkController
from aerocast_hub.orientation.places.controller import PlaceController
from aerocast_hub.orientation.routes_controller import RouteController
from aerocast_hub.privacy.controller import PrivacyController
from aerocast_hub.running import running
from aerocast_hub.summary.controller import SummaryController
from aerocast_hub.watchdog import feeding_watchdog
from aerocast_hub.weather.asked_controller import AskedWeatherController
from aerocast_hub.weather.controller import WeatherController
from aerocast_hub.weather.feeds.feed_controller import FeedController
from aerocast_hub.weather.forecast_controller import ForecastController
from aerocast_hub.weather.local_weather import absorb as absorb_local_weather
from aerocast_hub.weather.local_weather import retime as retime_local_weather
from aerocast_hub.weather.nowcast_controller import NowcastController
from aerocast_hub.weather.station_controller import StationController
from aerocast_hub.weather.wind_controller import WindController
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
async def take_in(hub: Hub) -> AsyncIterator[None]:
    """Listen to the gateways, for every feature of every service, and bring them their orders."""
    async with (
        listening(hub.settings, inbox_of(hub), hub.metrics) as source,
        feeding_watchdog(source),
        AsyncExitStack() as stack,
    ):
        if source is not None:
            courier = Courier(hub.database, hub.publisher, source)
            await stack.enter_async_context(running(courier.run()))
        yield


@asynccontextmanager
async def correct_times(hub: Hub) -> AsyncIterator[None]:
    """Put what was stored before a gateway knew the time on its better clock."""
    retimer = Retimer(hub.database, every_retime(), hub.publisher, hub.metrics, hub.clock_news)
    async with running(retimer.run()):
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
                OrderController,
                ClaimController,
                EnrolmentController,
                GatewayFileController,
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
