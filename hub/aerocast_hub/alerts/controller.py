"""Alert endpoints: what is wrong now, what was, and who looks after it."""

import time
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody

from aerocast_hub.alerts.store import (
    Alert,
    AlertHistory,
    acknowledge,
    alert_history,
    open_alerts,
    past_alerts,
)
from aerocast_hub.auth.permissions import RULED
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.outbox.publish import Publisher, write_events


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody looks after it; with a word about how."""

    note: Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class AlertController(Controller):
    """Alerts: raised by the hub, acknowledged by people, cleared when nothing is wrong any more."""

    path = "/api/alerts"
    tags = ("Alerts",)
    opt = RULED

    @get("/", operation_id="ListAlerts", opt={"permission": "alerts:read"})
    async def open(self, database: NamedDependency[Database]) -> list[Alert]:
        """Give what is wrong now, the most severe first."""
        async with database.reading() as session:
            return await open_alerts(session)

    @get("/past", operation_id="ListPastAlerts", opt={"permission": "alerts:read"})
    async def past(
        self, database: NamedDependency[Database], at_us: AskedInstant = None
    ) -> list[Alert]:
        """Give a hundred alerts that were over before now, or ``at_us``; the last first."""
        async with database.reading() as session:
            return await past_alerts(session, asked_us(at_us))

    @get("/{alert_id:str}", operation_id="GetAlert", opt={"permission": "alerts:read"})
    async def one(
        self, alert_id: FromPath[str], database: NamedDependency[Database]
    ) -> AlertHistory:
        """Give an alert and what became of it.

        Raises
        ------
        NotFoundException
            There is no such alert.
        """
        async with database.reading() as session:
            found = await alert_history(session, alert_id)
        if found is None:
            raise NotFoundException(f"alert {alert_id[:64]!r} is not known")
        return found

    @post(
        "/{alert_id:str}/acknowledgement",
        operation_id="AcknowledgeAlert",
        status_code=200,
        opt={"permission": "alerts:write"},
    )
    async def acknowledge(
        self,
        alert_id: FromPath[str],
        data: JSONBody[Acknowledgement],
        request: Request[Principal, Any, State],
        database: NamedDependency[Database],
        publisher: NamedDependency[Publisher],
    ) -> AlertHistory:
        """Say that you look after an alert: it stays until nothing is wrong any more.

        Raises
        ------
        NotFoundException
            There is no such alert.
        """
        now_us = time.time_ns() // 1000
        async with database.reading() as session:
            if await alert_history(session, alert_id) is None:
                raise NotFoundException(f"alert {alert_id[:64]!r} is not known")
        async with database.writing() as session:
            events = await acknowledge(session, alert_id, request.user.name, data.note, now_us)
            found = await alert_history(session, alert_id)
            if events is None or found is None:
                raise NotFoundException(f"alert {alert_id[:64]!r} is not known")
            await write_events(session, events)
        publisher.wake()
        return found
