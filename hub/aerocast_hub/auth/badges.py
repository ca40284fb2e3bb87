"""Staff badges: which was shown where just now, and whose they are. Callers own the transaction.

A badge says who its holder claims to be; anybody who had it in hand for a second may have copied
it. So it never opens anything alone, and only one that a gateway's reader has just seen counts:
there is no way to send one in over the network. See docs/decisions/0011-what-a-badge-proves.md.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from aerocast_protocols.observations.cards import BadgeShown
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.acting import COMMAND_LINE
from aerocast_hub.auth import audit
from aerocast_hub.auth.accounts.administration import refuse_beyond
from aerocast_hub.auth.permissions import EVERYTHING
from aerocast_hub.auth.tables import BadgeRow, BadgeShowingRow, UserRow
from aerocast_hub.auth.users import UserError, normal_name
from aerocast_hub.events.every import Event
from aerocast_hub.inbox.sighting import Sighting, lives_on

GOOD_FOR_US = 60_000_000
"""A showing serves for a minute: the time to type a PIN with gloves on."""
AHEAD_US = 5_000_000
"""A gateway's clock may be a little ahead of the hub's."""


_WHOLE = frozenset({EVERYTHING})


class Place(NamedTuple):
    """A gateway."""

    site: str
    gateway: str


class Holder(NamedTuple):
    """Whose badge it is."""

    user_id: UUID
    name: str
    pin_hash: str


class Badge(msgspec.Struct, frozen=True, kw_only=True):
    """A badge as administrators see it; what it is itself is never shown.

    Attributes
    ----------
    assigned_at_us
        UTC microseconds.
    assigned_by
        An account's name, or ``command line``.
    """

    user: str
    assigned_at_us: int
    assigned_by: str


@lives_on(BadgeShown)
async def absorb(session: AsyncSession, sightings: Sequence[Sighting]) -> list[Event]:
    """Note the badge that was shown last at each reader. Nothing is published of it."""
    now_us = time.time_ns() // 1000
    for sighting in sightings:
        shown = sighting.observation
        if not isinstance(shown, BadgeShown):
            continue
        key = (sighting.site, sighting.gateway, shown.device)
        row = await session.get(BadgeShowingRow, key)
        if row is None:
            row = BadgeShowingRow(site=key[0], gateway=key[1], device=key[2], shown_at_us=-1)
            session.add(row)
        # A clock that was years ahead once must not shut the reader until then.
        if row.shown_at_us < sighting.seen_at_us or row.shown_at_us > now_us + AHEAD_US:
            row.badge_hash = hash_of(shown.badge)
            row.shown_at_us, row.used_at_us = sighting.seen_at_us, None
    return []


async def take_showing(session: AsyncSession, place: Place, now_us: int) -> bytes | None:
    """Use up the newest showing at a gateway: its badge, or None when there was none just now."""
    of_place = (
        BadgeShowingRow.site == place.site,
        BadgeShowingRow.gateway == place.gateway,
        BadgeShowingRow.used_at_us.is_(None),
    )
    newest = await session.scalar(
        select(BadgeShowingRow)
        .where(
            *of_place,
            BadgeShowingRow.shown_at_us.between(now_us - GOOD_FOR_US, now_us + AHEAD_US),
        )
        .order_by(BadgeShowingRow.shown_at_us.desc())
        .limit(1)
    )
    if newest is None:
        return None
    # Of two who come for the same showing, the database gives it to one.
    return await session.scalar(
        update(BadgeShowingRow)
        .where(
            *of_place,
            BadgeShowingRow.device == newest.device,
            BadgeShowingRow.shown_at_us == newest.shown_at_us,
        )
        .values(used_at_us=now_us)
        .returning(BadgeShowingRow.badge_hash)
    )


async def holder_of(session: AsyncSession, badge_hash: bytes) -> Holder | None:
    """Say whose badge it is; None for nobody's, and for that of a disabled account."""
    found = await session.execute(
        select(UserRow.id, UserRow.name, BadgeRow.pin_hash)
        .join(BadgeRow, BadgeRow.user_id == UserRow.id)
        .where(BadgeRow.badge_hash == badge_hash, UserRow.disabled_at_us.is_(None))
    )
    row = found.one_or_none()
    return None if row is None else Holder(*row)


async def assign_badge(  # noqa: PLR0913  who gives what to whom, where and when
    session: AsyncSession,
    name: str,
    place: Place,
    pin_hash: str,
    *,
    now_us: int,
    actor: str = COMMAND_LINE,
    may: frozenset[str] = _WHOLE,
) -> Badge:
    """Give the badge that was just shown at a gateway to somebody.

    Parameters
    ----------
    may
        What whoever gives it may do: with badge and PIN one gets into the account.

    Raises
    ------
    UserError
        No such account, it may do more than ``may``, no badge shown there in the last minute, or
        it is somebody else's.
    """
    name = normal_name(name)
    user_id = await session.scalar(
        select(UserRow.id).where(UserRow.name == name, UserRow.disabled_at_us.is_(None))
    )
    if user_id is None:
        raise UserError(f"there is no user {name!r} who may log in")
    await refuse_beyond(session, user_id, may)
    badge_hash = await take_showing(session, place, now_us)
    if badge_hash is None:
        raise UserError(
            f"no badge was shown at {place.site}/{place.gateway} in the last minute: hold it to "
            "the reader, then try again"
        )
    present = await session.get(BadgeRow, badge_hash)
    if present is not None and present.user_id != user_id:
        raise UserError("this badge is somebody else's: revoke theirs first")
    if present is None:
        present = BadgeRow(badge_hash=badge_hash, user_id=user_id)
        session.add(present)
    present.pin_hash, present.assigned_at_us, present.assigned_by = pin_hash, now_us, actor
    await audit.record(session, "badge_assigned", account=name, actor=actor, at_us=now_us)
    return Badge(user=name, assigned_at_us=now_us, assigned_by=actor)


async def list_badges(session: AsyncSession) -> list[Badge]:
    """Give all badges by their holders' names."""
    rows = await session.execute(
        select(UserRow.name, BadgeRow.assigned_at_us, BadgeRow.assigned_by)
        .join(UserRow, UserRow.id == BadgeRow.user_id)
        .order_by(UserRow.name, BadgeRow.assigned_at_us)
    )
    return [Badge(user=name, assigned_at_us=at_us, assigned_by=by) for name, at_us, by in rows]


async def revoke_badges(
    session: AsyncSession,
    name: str,
    *,
    now_us: int,
    actor: str = COMMAND_LINE,
    may: frozenset[str] = _WHOLE,
) -> int:
    """Take all badges of somebody out of use, and say how many there were.

    Raises
    ------
    UserError
        There is no such account, or it may do more than ``may``.
    """
    name = normal_name(name)
    user_id = await session.scalar(select(UserRow.id).where(UserRow.name == name))
    if user_id is None:
        raise UserError(f"there is no user {name!r}")
    await refuse_beyond(session, user_id, may)
    gone = await session.scalars(
        delete(BadgeRow).where(BadgeRow.user_id == user_id).returning(BadgeRow.assigned_at_us)
    )
    count = len(gone.all())
    if count:
        await audit.record(session, "badge_revoked", account=name, actor=actor, at_us=now_us)
    return count


def hash_of(badge: bytes) -> bytes:
    """Give what is kept of a badge's identity: who reads the database cannot play the badge."""
    return hashlib.sha256(badge).digest()
