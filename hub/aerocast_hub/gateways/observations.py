"""What was stored, as it came: for an operator who wants to see what a gateway really saw."""

from collections.abc import Sequence
from typing import Any, get_args

import msgspec
from aerocast_protocols.batch import decode_observation
from aerocast_protocols.observations.every import Observation
from litestar import Controller, Request, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy import ColumnElement, Select, Text, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.lives import bounds_by_epoch
from aerocast_hub.gateways.tables import GatewayRow
from aerocast_hub.inbox.clock import TRUSTED
from aerocast_hub.inbox.lives import Bounds
from aerocast_hub.inbox.tables import ObservationRow

MOST = 1000
OF_CARDS = frozenset({"badge", "uid", "atr", "ndef_text"})
"""Fields that say whose card or badge it was: shown to nobody."""
OF_BAGS = frozenset({"epc", "licence_plate", "text", "legs", "bag_tags", "bag_uuid"})
"""Fields that say which bag, or whose boarding pass, it was."""
KINDS = tuple(str(each.__struct_config__.tag) for each in get_args(Observation))


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One stored observation.

    Attributes
    ----------
    seen_at_us, received_at_us
        UTC microseconds: when it happened as far as known, and when the hub stored it.
    clock_quality
        0 the hub's own receipt, 1 saved at shutdown, 2 hardware clock, 3 network time, 4 GPS.
    not_before_us, not_after_us
        What bounds a time that is only an estimate, because the gateway never knew the time in
        that boot; None when it is known, or when nothing bounds it.
    observation
        Its fields by name, bytes (an EPC) in hex; None for what is hidden (`OF_CARDS`, and without
        ``baggage:read`` `OF_BAGS`).
    """

    site: str
    gateway: str
    epoch: int
    lane: int
    sequence: int
    seen_at_us: int
    received_at_us: int
    clock_quality: int
    observation: dict[str, object]
    not_before_us: int | None = None
    not_after_us: int | None = None


async def list_stored(
    session: AsyncSession,
    *,
    kind: str | None = None,
    gateway: str | None = None,
    limit: int = 100,
    may_see_bags: bool = True,
) -> list[Stored]:
    """Give the latest observations, newest first.

    Parameters
    ----------
    kind
        Only of this kind (``tag_read``, ``bag_passage`` ...).
    gateway
        Only of gateways of this name.
    """
    limit = max(1, min(limit, MOST))
    known = {row.id: row for row in await session.scalars(select(GatewayRow))}
    named = [row.id for row in known.values() if row.name == gateway]
    found: list[ObservationRow] = []
    for gateway_id in (None,) if gateway is None else named:
        found += await _newest(session, KINDS if kind is None else (kind,), gateway_id, limit)
    found.sort(key=lambda row: (row.seen_at_us, row.sequence), reverse=True)
    rows = [(row, known[row.gateway_id]) for row in found[:limit]]
    estimated = sorted({row.gateway_id for row, _ in rows if row.clock_quality < TRUSTED})
    bounds = {each: await bounds_by_epoch(session, each) for each in estimated}
    nothing = Bounds(not_before_us=None, not_after_us=None)
    return [
        Stored(
            site=spoke.site,
            gateway=spoke.name,
            epoch=row.epoch,
            lane=row.lane,
            sequence=row.sequence,
            seen_at_us=row.seen_at_us,
            received_at_us=row.received_at_us,
            clock_quality=row.clock_quality,
            observation=_shown(row.body, OF_CARDS if may_see_bags else OF_CARDS | OF_BAGS),
            **msgspec.structs.asdict(bounds.get(row.gateway_id, {}).get(row.epoch, nothing)),
        )
        for row, spoke in rows
    ]


async def _newest(
    session: AsyncSession, kinds: Sequence[str], gateway_id: int | None, limit: int
) -> Sequence[ObservationRow]:
    """Give the newest of each kind: always an index's end, however many observations there are."""

    def newest_of(kind: str | ColumnElement[str]) -> Select[ObservationRow]:
        asked = select(ObservationRow).where(ObservationRow.kind == kind)
        if gateway_id is not None:
            asked = asked.where(ObservationRow.gateway_id == gateway_id)
        newest = asked.order_by(ObservationRow.seen_at_us.desc(), ObservationRow.sequence.desc())
        return newest.limit(limit)

    if len(kinds) == 1 or session.get_bind().dialect.name == "sqlite":
        return [row for kind in kinds for row in await session.scalars(newest_of(kind))]
    # One plan for every month and kind: planning would take longer than looking.
    each = (
        func.unnest(literal(list(kinds), ARRAY(Text)))
        .table_valued("kind", name="each")
        .render_derived()
    )
    newest = newest_of(each.c.kind).lateral()
    row = aliased(ObservationRow, newest)
    return (await session.scalars(select(row).select_from(each).join(newest, true()))).all()


async def count_stored(session: AsyncSession, *, kind: str | None = None) -> int:
    """Count the observations stored, of one kind or of all."""
    asked = select(func.count()).select_from(ObservationRow)
    if kind is not None:
        asked = asked.where(ObservationRow.kind == kind)
    return await session.scalar(asked) or 0


def _shown(body: bytes, hidden: frozenset[str]) -> dict[str, object]:
    fields = msgspec.to_builtins(decode_observation(body), builtin_types=(bytes,))
    return {
        name: None if name in hidden else value.hex() if isinstance(value, bytes) else value
        for name, value in fields.items()
    }


class ObservationController(Controller):
    """What gateways saw, as it came."""

    path = "/api/observations"
    tags = ("Gateways",)

    @get("/", operation_id="ListObservations", opt={"permission": "gateways:read"})
    async def latest(
        self,
        request: Request[Any, Any, State],
        database: NamedDependency[Database],
        kind: FromQuery[str | None] = None,
        gateway: FromQuery[str | None] = None,
        limit: FromQuery[int] = 100,
    ) -> list[Stored]:
        """Give the latest observations, newest first; ``kind`` and ``gateway`` choose.

        Who may not see bags (``baggage:read``) sees that something was read, and not what.
        """
        may_see = request.user.may("baggage:read")
        async with database.reading() as session:
            return await list_stored(
                session, kind=kind, gateway=gateway, limit=limit, may_see_bags=may_see
            )
