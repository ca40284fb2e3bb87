"""The loss account among the hub's metrics, so that somebody is called when it does not add up."""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.losses import Account
from aerocast_hub.gateways.views import loss_accounts
from aerocast_hub.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

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
    """Put every gateway's account among the metrics again and again, until cancelled."""
    while True:
        try:
            async with database.reading() as session:
                accounts = await loss_accounts(session)
        except (SQLAlchemyError, OSError):
            log.warning("the losses could not be counted: the database does not answer")
        else:
            tell_accounts(metrics, accounts)
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
