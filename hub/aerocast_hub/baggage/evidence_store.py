"""Evidence in the database: added, never changed; read by plate, container and flight."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.containment import DEEPEST
from aerocast_hub.baggage.evidence import (
    BagEvidence,
    Evidence,
    Moved,
    Nested,
    Placed,
    Retagged,
    Seen,
    Stowed,
    container_subject,
    decode_evidence,
    encode_evidence,
    flight_subject,
    legs_of,
)
from aerocast_hub.baggage.tables import EvidenceRow
from aerocast_hub.database.insert import insert_new

SUBJECTS_AT_ONCE = 500  # databases bound the parameters of a statement


async def keep_evidence(session: AsyncSession, evidence: Iterable[tuple[str, BagEvidence]]) -> None:
    """Add what is known of plates; what is there already stays as it was.

    Parameters
    ----------
    evidence
        Pairs of a plate and what is known of it. A retag is filed under both plates.
    """
    rows = []
    for plate, each in evidence:
        rows.append(_row(plate, each, 0))
        if isinstance(each, Retagged):
            other = each.new_plate if plate == each.old_plate else each.old_plate
            rows.append(_row(other, each, 0) | {"id": f"{each.id} {other}"})
    await insert_new(session, EvidenceRow, rows)


async def keep_heard(session: AsyncSession, evidence: Iterable[tuple[str, BagEvidence]]) -> None:
    """Add what is known of plates; what is there already in another form gets this one too."""
    said = list(evidence)
    ids = sorted({each.id for _, each in said})
    known: dict[str, bytes] = {}
    for at in range(0, len(ids), SUBJECTS_AT_ONCE):
        rows = await session.execute(
            select(EvidenceRow.id, EvidenceRow.body)
            .where(EvidenceRow.id.in_(ids[at : at + SUBJECTS_AT_ONCE]))
            .order_by(EvidenceRow.form)
        )
        known.update((row_id, body) for row_id, body in rows)
    await keep_evidence(session, [(plate, each) for plate, each in said if each.id not in known])
    await keep_corrected(
        session,
        [
            (plate, each)
            for plate, each in said
            if each.id in known and not _same(decode_evidence(known[each.id]), each)
        ],
    )


def _same(known: Evidence, told: Evidence) -> bool:
    return known == msgspec.structs.replace(told, known_at_us=known.known_at_us)


async def keep_corrected(
    session: AsyncSession, evidence: Iterable[tuple[str, BagEvidence]]
) -> None:
    """Add later, better forms of evidence that is there already."""
    rows = [_row(plate, each, each.known_at_us) for plate, each in evidence]
    await insert_new(session, EvidenceRow, rows)


async def keep_of_containers(session: AsyncSession, evidence: Iterable[Nested | Placed]) -> None:
    """Add what is known of containers. What is inside what is filed under both."""
    rows = []
    for each in evidence:
        rows.append(_row(container_subject(each.container), each, 0))
        if isinstance(each, Nested) and each.parent:
            rows.append(_row(container_subject(each.parent), each, 0) | {"id": f"{each.id} parent"})
    await insert_new(session, EvidenceRow, rows)


async def keep_of_flights(session: AsyncSession, evidence: Iterable[Moved]) -> None:
    """Add what is known of flights."""
    rows = [_row(flight_subject(each.flight_key, each.flight_date), each, 0) for each in evidence]
    await insert_new(session, EvidenceRow, rows)


async def read_plates(
    session: AsyncSession, plates: Iterable[str], known_by_us: int | None = None
) -> list[dict[str, list[Evidence]]]:
    """Read what is known of plates and of every plate joined to them by a retag.

    Parameters
    ----------
    known_by_us
        Leave out what the hub learned later.

    Returns
    -------
    One mapping for each set of joined plates: plate -> what is filed under it.
    """
    found: dict[str, list[Evidence]] = {}
    families: dict[str, set[str]] = {}
    wanted = set(plates)
    while wanted:
        for plate in wanted:
            found[plate] = []
            families.setdefault(plate, {plate})
        for plate, each in await _read(session, sorted(wanted), known_by_us):
            found[plate].append(each)
            if isinstance(each, Retagged):
                _join(families, each.old_plate, each.new_plate)
        wanted = {plate for family in families.values() for plate in family} - found.keys()
    distinct = {id(family): family for family in families.values()}.values()
    return [{plate: found[plate] for plate in sorted(family)} for family in distinct]


class Around:
    """What is known of containers and flights, for folding the bags in them."""

    def __init__(self) -> None:
        self.containers: dict[str, list[Evidence]] = {}
        self.flights: dict[tuple[str, str], list[Evidence]] = {}

    def of(self, evidence: Sequence[BagEvidence]) -> list[Evidence]:
        """Give a bag's evidence together with that of its containers and flights."""
        every: list[Evidence] = list(evidence)
        if not self.containers and not self.flights:
            return every
        containers, flights = named_in(evidence)
        todo = sorted(containers)
        while todo:
            for each in self.containers.get(todo.pop(), ()):
                every.append(each)
                flights.update((leg.key, leg.date) for leg in legs_of(each))
                if isinstance(each, Nested) and each.parent not in {"", *containers}:
                    containers.add(each.parent)
                    todo.append(each.parent)
        for flight in sorted(flights):
            every += self.flights.get(flight, ())
        return every


async def read_around(
    session: AsyncSession, evidence: Iterable[Evidence], known_by_us: int | None = None
) -> Around:
    """Read what is known of the containers and flights that bags' evidence names."""
    around = Around()
    containers, flights = named_in(evidence)
    for _ in range(DEEPEST):
        if not containers:
            break
        around.containers |= {name: [] for name in containers}
        subjects = {container_subject(name): name for name in containers}
        outer: set[str] = set()
        for subject, each in await _read(session, sorted(subjects), known_by_us):
            if isinstance(each, Nested) and each.container != subjects[subject]:
                continue  # of a container inside this one
            around.containers[subjects[subject]].append(each)
            if isinstance(each, Nested):
                outer.add(each.parent)
            flights.update((leg.key, leg.date) for leg in legs_of(each))
        containers = outer - around.containers.keys() - {""}
    named = {flight_subject(*flight): flight for flight in flights}
    for subject, each in await _read(session, sorted(named), known_by_us):
        around.flights.setdefault(named[subject], []).append(each)
    return around


async def last_placed(session: AsyncSession, container: str) -> Placed | None:
    """Give where a container was last found; None when nobody ever said."""
    body = await session.scalar(
        select(EvidenceRow.body)
        .where(EvidenceRow.subject == container_subject(container), EvidenceRow.kind == "placed")
        .order_by(EvidenceRow.at_us.desc())
        .limit(1)
    )
    found = None if body is None else decode_evidence(body)
    return found if isinstance(found, Placed) else None


async def containers_within(session: AsyncSession, container: str) -> set[str]:
    """Name a container and everything that is or was inside it."""
    found: set[str] = set()
    wanted = {container}
    for _ in range(DEEPEST):
        found |= wanted
        read = await _read(session, [container_subject(name) for name in sorted(wanted)], None)
        inner = {
            each.container
            for subject, each in read
            if isinstance(each, Nested) and container_subject(each.parent) == subject
        }
        wanted = inner - found
        if not wanted:
            break
    return found


def named_in(evidence: Iterable[Evidence]) -> tuple[set[str], set[tuple[str, str]]]:
    """Give the containers, and the keys and dates of the flights, that evidence names."""
    containers: set[str] = set()
    flights: set[tuple[str, str]] = set()
    for each in evidence:
        if isinstance(each, Seen):
            continue
        if isinstance(each, Stowed) and each.container:
            containers.add(each.container)
        flights.update((leg.key, leg.date) for leg in legs_of(each))
    return containers, flights


def _join(families: dict[str, set[str]], one: str, other: str) -> None:
    joined = families.setdefault(one, {one}) | families.setdefault(other, {other})
    for plate in joined:
        families[plate] = joined


async def _read(
    session: AsyncSession, subjects: Sequence[str], known_by_us: int | None
) -> list[tuple[str, Evidence]]:
    found: list[tuple[str, Evidence]] = []
    for at in range(0, len(subjects), SUBJECTS_AT_ONCE):
        where: list[ColumnElement[bool]] = [
            EvidenceRow.subject.in_(subjects[at : at + SUBJECTS_AT_ONCE])
        ]
        if known_by_us is not None:
            where.append(EvidenceRow.known_at_us <= known_by_us)
        rows = await session.execute(select(EvidenceRow.subject, EvidenceRow.body).where(*where))
        found += [(subject, decode_evidence(body)) for subject, body in rows]
    return found


def _row(subject: str, evidence: Evidence, form: int) -> dict[str, object]:
    kind = str(evidence.__struct_config__.tag)
    if isinstance(evidence, Seen) and evidence.witness != "message":
        kind = evidence.witness
    return {
        "id": evidence.id,
        "form": form,
        "subject": subject,
        "kind": kind,
        "at_us": evidence.at_us,
        "known_at_us": evidence.known_at_us,
        "site": getattr(evidence, "site", ""),
        "point": evidence.point if isinstance(evidence, Seen) else "",
        "belt": evidence.belt if isinstance(evidence, Seen) else "",
        "body": encode_evidence(evidence),
    }
