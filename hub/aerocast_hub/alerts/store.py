"""Alerts in the database: settled against what is wrong now, acknowledged by people."""

import uuid
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.alerts.conditions import Condition
from aerocast_hub.alerts.tables import AlertChangeRow, AlertRow
from aerocast_hub.audit.trail import record
from aerocast_hub.database.insert import insert_new
from aerocast_hub.events.alerts import AlertAcknowledged, AlertCleared, AlertRaised
from aerocast_hub.events.every import Event

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
    settling = _Settling(now_us)
    for scope in scopes:
        settling.settle(scope, wrong[scope], known[scope])
    await settling.write(session)
    return settling.events


class _Settling:
    """What settling changes, gathered to be written with a few statements: a shift has hundreds."""

    def __init__(self, now_us: int) -> None:
        self.events: list[Event] = []
        self._now_us = now_us
        self._cleared: list[str] = []
        self._changed: list[tuple[str, Condition]] = []
        self._raised: list[dict[str, object]] = []
        self._notes: list[dict[str, object]] = []

    def settle(
        self, scope: str, conditions: Sequence[Condition], known: Mapping[str, AlertRow]
    ) -> None:
        """Settle what is wrong within a scope against its open alerts."""
        wrong = {each.key: each for each in conditions}
        for key, row in known.items():
            if key not in wrong:
                self._clear(row)
            elif (now := wrong[key]).reason != row.reason or now.severity != row.severity:
                self._changed.append((row.id, now))
                self._note(row.id, "reason", now.reason)
        for key in sorted(wrong.keys() - known.keys()):
            self._raise(scope, wrong[key])

    async def write(self, session: AsyncSession) -> None:
        """Write all of it."""
        for at in range(0, len(self._cleared), SCOPES_AT_ONCE):
            ids = self._cleared[at : at + SCOPES_AT_ONCE]
            cleared = update(AlertRow).where(AlertRow.id.in_(ids))
            await session.execute(cleared.values(cleared_at_us=self._now_us))
        for alert_id, now in self._changed:
            await _write(session, alert_id, {"reason": now.reason, "severity": now.severity})
        await insert_new(session, AlertRow, self._raised)
        await insert_new(session, AlertChangeRow, self._notes)

    def _clear(self, row: AlertRow) -> None:
        self._cleared.append(row.id)
        self._note(row.id, "cleared", "it is wrong no more")
        self.events.append(
            AlertCleared(
                at_us=self._now_us, alert_id=row.id, alert_kind=row.kind, subject=row.subject
            )
        )

    def _raise(self, scope: str, what: Condition) -> None:
        alert_id = str(uuid.uuid4())
        self._raised.append(
            {
                "id": alert_id,
                "scope": scope,
                "key": what.key,
                "kind": what.kind,
                "severity": what.severity,
                "subject": what.subject,
                "reason": what.reason,
                "raised_at_us": self._now_us,
            }
        )
        self._note(alert_id, "raised", what.reason)
        self.events.append(
            AlertRaised(
                at_us=self._now_us,
                alert_id=alert_id,
                alert_kind=what.kind,
                subject=what.subject,
                severity=what.severity,
                reason=what.reason,
            )
        )

    def _note(self, alert_id: str, what: str, note: str) -> None:
        self._notes.append(_change(alert_id, self._now_us, what, note))


async def acknowledge(
    session: AsyncSession, alert_id: str, by: str, note: str, now_us: int
) -> list[Event] | None:
    """Note that somebody looks after an alert; None when there is no such alert."""
    row = await session.get(AlertRow, alert_id.replace("\x00", "?"))
    if row is None:
        return None
    change = _change(row.id, now_us, "acknowledged", note, by)
    await insert_new(session, AlertChangeRow, [change])
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


async def _write(session: AsyncSession, alert_id: str, values: Mapping[str, object]) -> None:
    await session.execute(update(AlertRow).where(AlertRow.id == alert_id).values(**values))


def _change(
    alert_id: str, at_us: int, what: str, note: str, by: str | None = None
) -> dict[str, object]:
    return {"alert_id": alert_id, "at_us": at_us, "what": what, "by": by, "note": note}


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
