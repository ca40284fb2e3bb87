"""The application: the only place where the parts of the hub are put together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any

from limits.aio.storage import MemoryStorage
from litestar import Litestar
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.types import (
    ASGIApp,
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Receive,
    Scope,
    Send,
)

from aerocast_hub.asking.client import ServiceClient
from aerocast_hub.audit.requests import Trailed
from aerocast_hub.auth.access import Access, build_access
from aerocast_hub.auth.limiting.attempts import Attempts
from aerocast_hub.auth.limiting.behind_proxies import BehindProxies
from aerocast_hub.auth.limiting.storage import attempts_storage
from aerocast_hub.auth.sessions.cookies import Connection
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.background import Background, Hub
from aerocast_hub.baggage.insight_keeping import InsightKept
from aerocast_hub.baggage.message_storage import Storage
from aerocast_hub.cache.answers import Answers
from aerocast_hub.cache.keeping import MemoryKeeping, RedisKeeping
from aerocast_hub.client_address import read_networks
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.database.replica import answering_a_request, let_be_stale
from aerocast_hub.database.sight import EVERYTHING, seeing
from aerocast_hub.enrolment.controller import ENROLMENTS, LISTS
from aerocast_hub.enrolment.revocation import Revocations
from aerocast_hub.ingest.controller import IngestController
from aerocast_hub.ingest.door import Door
from aerocast_hub.ingest.taking import PartnerInbox
from aerocast_hub.leases.holding import by_one_hub
from aerocast_hub.live.audience import Audience
from aerocast_hub.live.controller import follow, follow_by_socket, follow_gateways
from aerocast_hub.live.doorbell import Doorbell
from aerocast_hub.orientation.advisor import Advisor
from aerocast_hub.orientation.board_keeping import Boards
from aerocast_hub.orientation.finding import Finder
from aerocast_hub.orientation.link_desk import LinkDesk
from aerocast_hub.orientation.others import asked_over_http
from aerocast_hub.orientation.passenger_links import Links
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.redis_connection import RedisConnection
from aerocast_hub.running import running
from aerocast_hub.services import REGISTRY, Service, inbox_of
from aerocast_hub.settings import Settings
from aerocast_hub.shared_keys.checking import check_keys
from aerocast_hub.sight.row_rules import ROW_RULES
from aerocast_hub.telemetry.controller import health, metrics
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.telemetry.process import name_of
from aerocast_hub.telemetry.requests import WatchRequests
from aerocast_hub.telemetry.tracing import tracing
from aerocast_hub.weather.recent_weather import RecentWeather
from aerocast_hub.web.asked import AskedRequest
from aerocast_hub.web.assets import static_files
from aerocast_hub.web.bounds import LARGEST_BODY, Bounded, Crowd
from aerocast_hub.web.docs import description_of
from aerocast_hub.web.headers import add_security_headers
from aerocast_hub.web.options import WholeAllow
from aerocast_hub.web.problems import ERROR_HANDLERS

CLIENT_SHARE = 4  # one client never has more than a quarter of all connections in requests


class Application(Litestar):
    """The hub's application.

    Attributes
    ----------
    door
        What answers requests before it, and passes on what it does not; None: nothing does.
    """

    door: ASGIApp | None = None

    @cached_property
    def under_way(self) -> set["asyncio.Task[Any]"]:
        """What answers requests now, also those whose clients have gone: no server knows these."""
        return set()

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan" or (answering := asyncio.current_task()) is None:
            await self.answer(scope, receive, send)
            return
        self.under_way.add(answering)
        try:
            if self.door is None:
                await self.answer(scope, receive, send)
            else:
                await self.door(scope, receive, send)  # type: ignore[arg-type]  # the scope tells which
        except asyncio.CancelledError:
            # By `serve`, or by granian when it ends: no news to the log, and nobody waits for it.
            if not self.state.hub.publisher.is_closed:
                raise
        finally:
            self.under_way.discard(answering)

    async def answer(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """Answer what came past the door."""
        await super().__call__(scope, receive, send)


def create_app(settings: Settings, names: Sequence[str]) -> Application:
    """Put together a hub of the named services.

    Making an application touches nothing; its database is brought up to date when it starts.

    Raises
    ------
    KeyError
        A name is no service's.
    """
    services = [REGISTRY[name] for name in names]
    database = Database(
        settings.database,
        ROW_RULES,
        settings.sealing_keys,
        settings.replica,
        settings.database_read_lag_s,
    )
    counters = Metrics()
    keys = TokenKeys(settings.data_dir, is_signing="auth" in names)
    redis = None
    if settings.redis_url is not None:
        redis = RedisConnection(settings.redis_url.get_secret_value())
    tries = attempts_storage(settings, database, redis)
    answers = Answers(MemoryKeeping() if redis is None else RedisKeeping(redis))
    publisher = Publisher(database, counters)
    access = build_access(settings, database, keys, tries, publisher, redis)
    links = Links(settings.signing_key)
    elsewhere = _elsewhere(settings, names, counters)
    others = asked_over_http(elsewhere.get("baggage"), elsewhere.get("weather"))
    advisor = Advisor(database, counters, links, others)
    audience = Audience(publisher, advisor.around)
    news = asyncio.Event()
    hub = Hub(
        *(settings, database, publisher, counters, keys, redis),
        *(advisor, audience, news),
    )
    description = description_of("AeroCast hub", version("aerocast-hub"))
    partners = PartnerInbox(inbox_of(hub))
    guard, watch = access.guard(keys), WatchRequests(counters)
    crowd = Crowd(settings.http_connections // CLIENT_SHARE)
    trusted = read_networks(settings.trusted_proxies)
    body_s = float(settings.http_patience_s)
    app = Application(
        route_handlers=[
            health,
            metrics,
            follow,
            follow_gateways,
            follow_by_socket,
            static_files(),
            *(controller for service in services for controller in service.controllers),
        ],
        dependencies={
            "settings": _always(settings),
            "database": _always(database),
            "publisher": _always(hub.publisher),
            "metrics": _always(counters),
            "advisor": _always(advisor),
            "audience": _always(audience),
            "boards": _always(Boards(database, advisor.around, others)),
            "bag_storage": _always(Storage(database, hub.publisher.wake, counters)),
            "others": _always(others),
            "insight_kept": _always(InsightKept(database, answers)),
            "finder": _always(Finder(database, links, tries, others)),
            # In memory: counting elsewhere would cost more than the answer.
            "list_tries": _always(Attempts("revoked lists", LISTS, MemoryStorage())),
            "revocations": _always(Revocations(database, settings)),
            "enrolment_tries": _always(Attempts("enrolments", ENROLMENTS, tries)),
            "recent_weather": _always(RecentWeather(database)),
            "link_desk": _always(LinkDesk(database, links, publisher, others)),
            "access": _always(access),
            "token_keys": _always(keys),
            **{name: _always(part) for name, part in access._asdict().items()},
            "partner_inbox": _always(partners),
        },
        middleware=[
            watch,
            _one_sight_a_request,
            *([DefineMiddleware(BehindProxies, trusted=trusted)] if trusted else []),
            DefineMiddleware(Bounded, crowd=crowd, body_s=body_s),
            partial(Trailed, database),
        ],
        guards=[guard, _let_questions_be_stale],
        exception_handlers=ERROR_HANDLERS,
        before_send=[add_security_headers],
        lifespan=[_lifespan(hub, services, access, tuple(elsewhere.values()))],
        request_max_body_size=LARGEST_BODY,
        request_class=AskedRequest,
        logging_config=None,  # `telemetry.logs` decides
        openapi_config=description,
        plugins=[WholeAllow(), description.handlers],
    )
    app.state.hub = hub
    if any(IngestController in service.controllers for service in services):
        app.door = Door(
            app.answer,
            guard=guard,
            inbox=partners,
            watch=watch,
            crowd=crowd,
            trusted=trusted,
            body_s=body_s,
        )
    return app


def _elsewhere(
    settings: Settings, names: Sequence[str], metrics: Metrics
) -> dict[str, ServiceClient]:
    """Give clients of the services that run in processes of their own and are told where."""
    urls = {"baggage": settings.baggage_url, "weather": settings.weather_url}
    return {
        name: ServiceClient(name, url, ",".join(names), settings.signing_key, metrics)
        for name, url in urls.items()
        if url is not None and name not in names
    }


def _one_sight_a_request(app: ASGIApp) -> ASGIApp:
    """Let what the guard narrows end with the request, whoever serves the next one."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        with seeing(EVERYTHING), answering_a_request():
            await app(scope, receive, send)

    return answer


async def _let_questions_be_stale(connection: Connection, _: BaseRouteHandler) -> None:
    """Let a replica answer who was let in and only asks."""
    if connection.scope.get("method", "") in {"GET", "HEAD"}:
        let_be_stale()


class _Given(Provide):
    """Equal to itself alone: a start compares providers with each other 100,000 times."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__


def _always(value: object) -> Provide:
    def give() -> object:
        return value

    return _Given(give, sync_to_thread=False)


def _lifespan(
    hub: Hub,
    services: Sequence[Service],
    access: Access,
    elsewhere: Sequence[ServiceClient],
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """Start what runs beside requests, in order; stop it in the opposite one."""

    @asynccontextmanager
    async def run(_app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            url = hub.settings.otlp_endpoint or None
            name = name_of([service.name for service in services])
            stack.enter_context(tracing(url, hub.settings.telemetry_sample, name))
            stack.push_async_callback(hub.database.close)
            for client in elsewhere:
                stack.push_async_callback(client.close)
            await migrate(hub.database)
            await check_keys(hub.database, hub.settings, hub.keys)
            if hub.database.replica is not None:
                looking = hub.database.replica.keep_looking(hub.database.engine)
                await stack.enter_async_context(running(looking))
            await stack.enter_async_context(access.running())
            await hub.publisher.start()
            await stack.enter_async_context(running(hub.publisher.run()))
            if hub.redis is not None:
                stack.push_async_callback(hub.redis.close)
                bell = Doorbell(hub.redis, hub.publisher)
                await stack.enter_async_context(running(bell.run()))
            for service in services:
                for background in service.background:
                    await stack.enter_async_context(background(hub))
                if service.alone:
                    work = partial(_at_once, hub, service.alone)
                    alone = by_one_hub(hub.database, service.name, work)
                    await stack.enter_async_context(alone)
            yield

    return run


@asynccontextmanager
async def _at_once(hub: Hub, backgrounds: Sequence[Background]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for background in backgrounds:
            await stack.enter_async_context(background(hub))
        yield
