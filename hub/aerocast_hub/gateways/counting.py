"""Losses and devices among the hub's metrics, so that somebody is called when one is wrong."""

import asyncio
import time

from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.losses import Account
from aerocast_hub.gateways.views import GatewayView, loss_accounts, view_gateways
from aerocast_hub.telemetry.metrics import Metrics

COUNT_EVERY_S = 15.0
_FATES = (
    "accepted",
    "durable",
    "acknowledged",
    "evicted",
    "dead",
    "received",
    "refused",
    "awaited",
    "unexplained",
)


async def keep_counted(database: Database, metrics: Metrics) -> None:
    """Put all accounts and devices among the metrics again and again, until cancelled."""
    while True:
        try:
            async with database.reading() as session:
                accounts = await loss_accounts(session)
                gateways = await view_gateways(session, time.time_ns() // 1000)
        except (SQLAlchemyError, OSError) as error:
            database.tell_failure("the losses could not be counted", error)
        else:
            tell_accounts(metrics, accounts)
            tell_devices(metrics, gateways)
        await asyncio.sleep(COUNT_EVERY_S)


def tell_accounts(metrics: Metrics, accounts: list[Account]) -> None:
    """Put accounts among the metrics."""
    for account in accounts:
        for fate in _FATES:
            number: int = getattr(account, fate)
            metrics.gateway_observations.labels(account.site, account.gateway, fate).set(number)
        metrics.gateway_observations.labels(account.site, account.gateway, "explained").set(
            sum(account.explained.values())
        )


def tell_devices(metrics: Metrics, gateways: list[GatewayView]) -> None:
    """Put devices among the metrics, as their gateways last told; those no more there leave."""
    for gauge in (
        metrics.device_up,
        metrics.device_silent,
        metrics.device_reads,
        metrics.device_reads_per_second,
        metrics.device_reconnects,
        metrics.device_last_seen_seconds,
        metrics.antenna_connected,
    ):
        gauge.clear()
    for gateway in gateways:
        if gateway.health is None:
            continue
        online = gateway.state == "online"
        for name, state in gateway.health.devices.items():
            labels = (gateway.site, gateway.name, name)
            metrics.device_up.labels(*labels).set(online and state == "connected")
        for name, device in gateway.health.device_health.items():
            labels = (gateway.site, gateway.name, name)
            metrics.device_silent.labels(*labels).set(device.silent)
            metrics.device_reads.labels(*labels).set(device.reads)
            metrics.device_reads_per_second.labels(*labels).set(device.reads_per_s)
            metrics.device_reconnects.labels(*labels).set(device.reconnects)
            if device.last_seen_age_s is not None:
                metrics.device_last_seen_seconds.labels(*labels).set(device.last_seen_age_s)
            for port, connected in device.antennas.items():
                metrics.antenna_connected.labels(*labels, str(port)).set(connected)
