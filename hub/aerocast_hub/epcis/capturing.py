"""Documents taken in: checked event by event, kept, and what they say of bags told to baggage."""

import time
import uuid
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
from aerocast_protocols.epcis.event_hash import time_text
from aerocast_protocols.errors import ProtocolError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.bulk import digest_of
from aerocast_hub.audit.trail import record
from aerocast_hub.baggage.evidence_store import keep_evidence
from aerocast_hub.baggage.journeys import refold_plates
from aerocast_hub.epcis.heard import evidence_in
from aerocast_hub.epcis.keeping import NewEvent, identify, keep_events
from aerocast_hub.epcis.tables import EpcisCaptureRow
from aerocast_hub.epcis.validation import Document, check_event
from aerocast_hub.events.every import Event
from aerocast_hub.events.partners import EpcisEventsKept

Behaviour = Literal["rollback", "proceed"]


class CaptureError(msgspec.Struct, frozen=True, kw_only=True):
    """Why an event was not taken in (RFC 7807)."""

    type: str
    title: str
    status: int
    detail: str


class CaptureJob(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of a document.

    Attributes
    ----------
    running
        Never: documents are taken in before they are answered.
    capture_error_behaviour
        ``rollback``: all of it or nothing; ``proceed``: all that is good.
    """

    capture_id: str = msgspec.field(name="captureID")
    created_at: str
    finished_at: str
    running: bool
    success: bool
    capture_error_behaviour: str
    errors: list[CaptureError]


class Taken(NamedTuple):
    """A job, the ids of the document's good events, and what follows."""

    job: CaptureJob
    ids: list[str]
    events: list[Event]


async def take_in(
    session: AsyncSession, document: Document, behaviour: Behaviour, by: str
) -> Taken:
    """Take in a document's events.

    With ``rollback`` nothing is kept when anything is wrong. The same event again changes nothing.
    """
    capture_id, now_us = str(uuid.uuid4()), time.time_ns() // 1000
    good, errors = _checked(document)
    told: list[Event] = []
    new = 0
    if not errors or behaviour == "proceed":
        is_all = behaviour == "rollback"
        kept = await keep_events(session, good, capture_id=capture_id, all_or_none=is_all)
        errors += [_error(f"another event has the id {each[:200]}") for each in kept.taken]
        new = len(kept.new)
        told = await _tell_baggage(session, kept.new, by, now_us)
        if kept.new:
            told.append(EpcisEventsKept(at_us=now_us, events=len(kept.new)))
    session.add(
        EpcisCaptureRow(
            id=capture_id,
            created_at_us=now_us,
            created_by=by,
            behaviour=behaviour,
            is_success=not errors,
            errors=msgspec.json.encode(errors),
        )
    )
    ids = [identify(each).event_id for each in good]
    await record(
        session,
        "epcis_captured",
        subject=f"capture {capture_id}",
        after={"events": digest_of(ids), "new": new, "wrong": len(errors)},
        outcome="failure" if errors and not new else "success",
    )
    return Taken(_job(capture_id, now_us, behaviour, errors), ids, told)


async def find_job(session: AsyncSession, capture_id: str) -> CaptureJob | None:
    """Find what became of a document."""
    row = await session.get(EpcisCaptureRow, capture_id.replace("\x00", "?"))
    return None if row is None else _of_row(row)


async def list_jobs(
    session: AsyncSession, limit: int, after: tuple[int, str] | None
) -> list[tuple[tuple[int, str], CaptureJob]]:
    """Give what became of documents, the last first, with the position of each."""
    query = select(EpcisCaptureRow).order_by(
        EpcisCaptureRow.created_at_us.desc(), EpcisCaptureRow.id.desc()
    )
    if after is not None:
        at_us, last = after
        query = query.where(
            (EpcisCaptureRow.created_at_us < at_us)
            | ((EpcisCaptureRow.created_at_us == at_us) & (EpcisCaptureRow.id < last))
        )
    rows = await session.scalars(query.limit(limit))
    return [((row.created_at_us, row.id), _of_row(row)) for row in rows]


def _checked(document: Document) -> tuple[list[NewEvent], list[CaptureError]]:
    good: list[NewEvent] = []
    errors: list[CaptureError] = []
    for i, event in enumerate(document.events):
        where = f"{document.where}/{i}" if document.where else ""
        faults = check_event(event, where)
        if faults:
            errors.append(_error("; ".join(map(str, faults))))
            continue
        new = NewEvent(event, document.context, document.ignored)  # type: ignore[arg-type]  # checked
        try:
            identify(new)
        except ProtocolError as error:
            errors.append(_error(f"{where or '/'}: {error}"))
        else:
            good.append(new)
    return good, errors


async def _tell_baggage(
    session: AsyncSession, events: Sequence[NewEvent], by: str, now_us: int
) -> list[Event]:
    evidence = [
        each
        for new in events
        for each in evidence_in(new.event, identify(new).event_id, f"epcis {by}", now_us)
    ]
    await keep_evidence(session, evidence)
    return await refold_plates(session, {plate for plate, _ in evidence})


def _error(detail: str) -> CaptureError:
    return CaptureError(
        type="epcisException:ValidationException",
        title="The event was not taken in",
        status=400,
        detail=detail,
    )


def _of_row(row: EpcisCaptureRow) -> CaptureJob:
    errors = msgspec.json.decode(row.errors, type=list[CaptureError])
    return _job(row.id, row.created_at_us, row.behaviour, errors)


def _job(capture_id: str, at_us: int, behaviour: str, errors: list[CaptureError]) -> CaptureJob:
    return CaptureJob(
        capture_id=capture_id,
        created_at=time_text(at_us),
        finished_at=time_text(at_us),
        running=False,
        success=not errors,
        capture_error_behaviour=behaviour,
        errors=errors,
    )
