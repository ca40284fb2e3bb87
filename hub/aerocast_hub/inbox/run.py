"""The inbox at work: a broker (the embedded one or another), and the source that listens to it."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from aerocast_hub.broker_url import (
    EMBEDDED,
    NONE,
    BrokerAddress,
    is_amqp,
    parse_broker_url,
    tls_context,
)
from aerocast_hub.inbox.broker import HOST, EmbeddedBroker, Outside
from aerocast_hub.inbox.broker_login import gateways_login, hubs_login, left_for_this_user
from aerocast_hub.inbox.gathering import Source
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.source_amqp import AmqpSource
from aerocast_hub.inbox.source_mqtt import MqttSource
from aerocast_hub.running import ending
from aerocast_hub.settings import Settings
from aerocast_hub.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

FIRST_GROUP = "hub"
"""Of hubs that read a queue and are told no other."""


@asynccontextmanager
async def listening(
    settings: Settings, inbox: Inbox, metrics: Metrics
) -> AsyncIterator[Source | None]:
    """Take in what gateways send, beside the block; with ``none:`` as broker, nothing.

    Raises
    ------
    OSError, ValueError
        The embedded broker cannot listen, the broker's address is none, or its files are not.
    """
    async with AsyncExitStack() as stack:
        url = settings.broker_url.get_secret_value()
        if url == NONE:
            yield None
            return
        group = settings.broker_group
        source: Source
        if url == EMBEDDED:
            address = await stack.enter_async_context(_embedded(settings, metrics))
            source = MqttSource(address, inbox, metrics)
        elif is_amqp(url):
            source = AmqpSource(url, group or FIRST_GROUP, inbox, metrics)
        else:
            address = msgspec.structs.replace(
                parse_broker_url(url),
                certificate=settings.broker_certificate,
                key=settings.broker_key,
                ca=settings.broker_ca,
            )
            tls_context(address)  # what cannot be used ends the hub now, with its name
            source = MqttSource(address, inbox, metrics, group)
        task = asyncio.create_task(source.run())
        task.add_done_callback(_tell_why)
        async with ending(task):
            yield source


@asynccontextmanager
async def _embedded(settings: Settings, metrics: Metrics) -> AsyncIterator[BrokerAddress]:
    ours, theirs = hubs_login(), gateways_login(settings.signing_key())
    broker = EmbeddedBroker(
        settings.data_dir,
        metrics,
        (ours, theirs),
        settings.embedded_broker_port,
        settings.embedded_broker_v3_port,
        _outside(settings),
    )
    async with broker.running():
        with left_for_this_user(theirs, (broker.port, broker.v3_port)):
            yield BrokerAddress(HOST, broker.port, user=ours.user, password=ours.password)


def _outside(settings: Settings) -> Outside | None:
    """Give the embedded broker's way in beyond loopback, if it has one."""
    certificate, key = settings.embedded_broker_certificate, settings.embedded_broker_key
    if settings.embedded_broker_host is None or certificate is None or key is None:
        return None
    for file in (certificate, key):
        if not file.is_file():
            raise OSError(f"embedded_broker_certificate, embedded_broker_key: no file {file}")
    return Outside(
        settings.embedded_broker_host, settings.embedded_broker_tls_port, certificate, key
    )


def _tell_why(task: asyncio.Task[None]) -> None:
    """End the hub with the inbox: it must not look as if it took anything in."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("the inbox has failed: the hub ends", exc_info=error)
        signal.raise_signal(signal.SIGTERM)
