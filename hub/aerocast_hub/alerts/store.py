"""Alerts in the database: settled against what is wrong now, acknowledged by people."""

import uuid
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.alerts.conditions import Condition
from aerocast_hub.alerts.tables import AlertChangeRow, AlertRow
from aerocast_hub.audit.trail import record
from aerocast_hub.events import AlertAcknowledged, AlertCleared, AlertRaised, Event

MOST_ALERTS = 500
SCOPES_AT_ONCE = 500  # databases bound the parameters of a statement


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is, or was, wrong.

    Attributes
    ----------
    subject
        ``bag <id>``, ``flight <id>``, ``belt <site> <belt>`` or ``ramp <airport>``.
    raised_at_us, acknowledged_at_us, cleared_at_us
        UTC microseconds; None where it did not happen.
    """

    id: str
    kind: str
    severity: str
    subject: str
    reason: str
    raised_at_us: int
    acknowledged_at_us: int | None = None
    acknowledged_by: str | None = None
    cleared_at_us: int | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an alert's history: raised, reason, acknowledged, cleared."""

    at_us: int
    what: str
    by: str | None
    note: str


class AlertHistory(msgspec.Struct, frozen=True, kw_only=True):
    """An alert and what became of it."""

    alert: Alert
    changes: tuple[Change, ...]


async def settle(
    session: AsyncSession, wrong: Mapping[str, Sequence[Condition]], now_us: int
) -> list[Event]:
    """Raise what is wrong and was not yet, clear what is wrong no more.

    Parameters
    ----------
    wrong
        Scope -> all that is wrong within it, each scope looked at as a whole; alerts of other
        scopes are left alone.
    """
    known: dict[str, dict[str, AlertRow]] = {scope: {} for scope in wrong}
    scopes = sorted(wrong)
    for at in range(0, len(scopes), SCOPES_AT_ONCE):
        rows = await session.scalars(
            select(AlertRow).where(
                AlertRow.scope.in_(scopes[at : at + SCOPES_AT_ONCE]),
                AlertRow.cleared_at_us.is_(None),
            )
        )
        for row in rows:
            known[row.scope][row.key] = row
    events: list[Event] = []
    for scope in scopes:
        events += await _settle(session, scope, wrong[scope], known[scope], now_us)
    return events


async def _settle(
    session: AsyncSession,
    scope: str,
    conditions: Sequence[Condition],
    known: Mapping[str, AlertRow],
    now_us: int,
) -> list[Event]:
    wrong = {each.key: each for each in conditions}
    events: list[Event] = []
    for key, row in known.items():
        if key not in wrong:
            await _write(session, row.id, {"cleared_at_us": now_us})
            await _note(session, row.id, now_us, "cleared", note="it is wrong no more")
            events.append(
                AlertCleared(
                    at_us=now_us, alert_id=row.id, alert_kind=row.kind, subject=row.subject
                )
            )
        elif (now := wrong[key]).reason != row.reason or now.severity != row.severity:
            changed = {"reason": now.reason, "severity": now.severity}
            await _write(session, row.id, changed)
            await _note(session, row.id, now_us, "reason", note=now.reason)
    new = sorted(wrong.keys() - known.keys())
    return events + [await _raise(session, scope, wrong[key], now_us) for key in new]


async def acknowledge(
    session: AsyncSession, alert_id: str, by: str, note: str, now_us: int
) -> list[Event] | None:
    """Note that somebody looks after an alert; None when there is no such alert."""
    row = await session.get(AlertRow, alert_id.replace("\x00", "?"))
    if row is None:
        return None
    await _note(session, row.id, now_us, "acknowledged", by=by, note=note)
    await record(session, "alert_acknowledged", subject=f"alert {row.id}", after={"note": note})
    if row.acknowledged_at_us is not None:
        return []
    await _write(session, row.id, {"acknowledged_at_us": now_us, "acknowledged_by": by})
    return [
        AlertAcknowledged(
            at_us=now_us, alert_id=row.id, alert_kind=row.kind, subject=row.subject, by=by
        )
    ]


async def open_alerts(session: AsyncSession, limit: int = MOST_ALERTS) -> list[Alert]:
    """Give what is wrong now, the most severe first, then the newest."""
    rows = await session.scalars(
        select(AlertRow)
        .where(AlertRow.cleared_at_us.is_(None))
        .order_by(AlertRow.raised_at_us.desc(), AlertRow.id)
        .limit(limit)
    )
    order = {"critical": 0, "warning": 1}
    return sorted(map(_alert, rows), key=lambda each: order.get(each.severity, 2))


async def past_alerts(session: AsyncSession, before_us: int, limit: int = 100) -> list[Alert]:
    """Give alerts that are over, the last cleared first."""
    rows = await session.scalars(
        select(AlertRow)
        .where(AlertRow.cleared_at_us < before_us)
        .order_by(AlertRow.cleared_at_us.desc(), AlertRow.id)
        .limit(limit)
    )
    return [_alert(row) for row in rows]


async def alert_history(session: AsyncSession, alert_id: str) -> AlertHistory | None:
    """Give an alert and what became of it; None when there is no such alert."""
    row = await session.get(AlertRow, alert_id.replace("\x00", "?"))
    if row is None:
        return None
    changes = await session.scalars(
        select(AlertChangeRow).where(AlertChangeRow.alert_id == row.id).order_by(AlertChangeRow.id)
    )
    return AlertHistory(
        alert=_alert(row),
        changes=tuple(
            Change(at_us=each.at_us, what=each.what, by=each.by, note=each.note) for each in changes
        ),
    )


async def open_scopes(session: AsyncSession, prefix: str) -> Sequence[str]:
    """Name the scopes of open alerts that begin with a word."""
    rows = await session.scalars(
        select(AlertRow.scope)
        .where(AlertRow.cleared_at_us.is_(None), AlertRow.scope.startswith(prefix, autoescape=True))
        .distinct()
    )
    return sorted(rows)


async def _raise(session: AsyncSession, scope: str, what: Condition, now_us: int) -> Event:
    alert_id = str(uuid.uuid4())
    await session.execute(
        insert(AlertRow).values(
            id=alert_id,
            scope=scope,
            key=what.key,
            kind=what.kind,
            severity=what.severity,
            subject=what.subject,
            reason=what.reason,
            raised_at_us=now_us,
        )
    )
    await _note(session, alert_id, now_us, "raised", note=what.reason)
    return AlertRaised(
        at_us=now_us,
        alert_id=alert_id,
        alert_kind=what.kind,
        subject=what.subject,
        severity=what.severity,
        reason=what.reason,
    )


async def _write(session: AsyncSession, alert_id: str, values: Mapping[str, object]) -> None:
    await session.execute(update(AlertRow).where(AlertRow.id == alert_id).values(**values))


async def _note(
    session: AsyncSession, alert_id: str, at_us: int, what: str, *, by: str | None = None, note: str
) -> None:
    await session.execute(
        insert(AlertChangeRow).values(alert_id=alert_id, at_us=at_us, what=what, by=by, note=note)
    )


def _alert(row: AlertRow) -> Alert:
    return Alert(
        id=row.id,
        kind=row.kind,
        severity=row.severity,
        subject=row.subject,
        reason=row.reason,
        raised_at_us=row.raised_at_us,
        acknowledged_at_us=row.acknowledged_at_us,
        acknowledged_by=row.acknowledged_by,
        cleared_at_us=row.cleared_at_us,
    )
