"""Passengers' links as the hub keeps them: made for a few days, counted, revoked at once.

A link is a row; its address carries the row's id, signed. Every opening looks at the row, so a
revoked link opens nothing in any process from the moment its revocation is committed.
"""

import secrets
from collections.abc import Callable, Collection
from typing import Annotated, Literal

import msgspec
from sqlalchemy import ColumnElement, ScalarSelect, Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.audit import record
from aerocast_hub.events.every import Event
from aerocast_hub.events.passengers import PassengerLinkRevoked
from aerocast_hub.orientation.links import (
    ID_BYTES,
    Named,
    link_key,
    make_token,
    new_link_id,
    read_token,
)
from aerocast_hub.orientation.tables import PassengerLinkRow

HOUR_S = 3600
VALID_H = 72
LONGEST_H = 14 * 24
IDS_AT_ONCE = 400  # databases bound the parameters of a statement
MOST_OPEN = 20  # of one passenger
KEPT_US = 30 * 24 * HOUR_S * 1_000_000  # after a link's end its row says who made it
_HALF_US = VALID_H * HOUR_S * 500_000

Hours = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_H)]


class PassengerLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link that opens a passenger's page.

    Attributes
    ----------
    id
        What it is called, in webhooks too; it does not open the page.
    made_by
        The account; None when the passenger asked by bag tag and surname.
    """

    id: str
    state: Literal["open", "expired", "revoked"]
    made_at_us: int
    made_by: str | None
    expires_at_us: int
    revoked_at_us: int | None
    revoked_by: str | None


class TooManyLinksError(Exception):
    """A passenger has as many open links as there may be; the message says what mends it."""


class Links:
    """Makes, opens and revokes links; the key is fetched when it is first needed.

    Parameters
    ----------
    signing_key
        Gives the hub's secret key.
    """

    def __init__(self, signing_key: Callable[[], str]) -> None:
        self._signing_key = signing_key
        self._key: bytes | None = None

    def read(self, token: str, now_us: int) -> Named | None:
        """Say which link a token names; None when it is forged or expired."""
        return read_token(self._own_key(), token, now_us // 1_000_000)

    def passenger_of(self, named: Named, now_us: int) -> ScalarSelect[str]:
        """Ask whose page a link opens, within another question: nobody's once it is revoked."""
        asked = select(PassengerLinkRow.passenger_id)
        return asked.where(
            PassengerLinkRow.id == named.link_id, *_open_at(now_us)
        ).scalar_subquery()

    async def make(
        self, session: AsyncSession, passenger_id: str, by: str, valid_h: int, now_us: int
    ) -> PassengerLink:
        """Make a link for a passenger.

        Raises
        ------
        TooManyLinksError
            They have twenty that are open.
        """
        mine = PassengerLinkRow.passenger_id == passenger_id
        is_open = select(func.count()).where(mine, *_open_at(now_us))
        if (await session.scalar(is_open) or 0) >= MOST_OPEN:
            raise TooManyLinksError(
                f"this passenger has {MOST_OPEN} open links already: revoke one first"
            )
        row = _new_row(passenger_id, by, valid_h, now_us)
        session.add(row)
        await session.flush()
        made = {"passenger": passenger_id, "expires_at_us": row.expires_at_us}
        await record(
            session, "link_made", account=f"link {row.id}", actor=by, at_us=now_us, after=made
        )
        return _link(row, now_us)

    async def found_before(
        self, session: AsyncSession, passenger_id: str, now_us: int
    ) -> str | None:
        """Give the token of a link a passenger found earlier, while half its time is left."""
        row = await session.scalar(
            select(PassengerLinkRow)
            .where(
                PassengerLinkRow.passenger_id == passenger_id,
                PassengerLinkRow.made_by.is_(None),
                *_open_at(now_us + _HALF_US),
            )
            .order_by(PassengerLinkRow.expires_at_us.desc())
            .limit(1)
        )
        return None if row is None else self.token(row.id, row.expires_at_us)

    async def make_for_finder(self, session: AsyncSession, passenger_id: str, now_us: int) -> str:
        """Make a link for a passenger who showed bag tag and surname, and give its token."""
        row = _new_row(passenger_id, None, VALID_H, now_us)
        session.add(row)
        await session.flush()
        return self.token(row.id, row.expires_at_us)

    def token(self, link_id: str, expires_at_us: int) -> str:
        """Give the token that opens a link."""
        return make_token(self._own_key(), link_id, expires_at_us // 1_000_000)

    def _own_key(self) -> bytes:
        if self._key is None:
            self._key = link_key(self._signing_key())
        return self._key


async def links_of(session: AsyncSession, passenger_id: str, now_us: int) -> list[PassengerLink]:
    """Give a passenger's links, the newest first."""
    rows = await session.scalars(
        select(PassengerLinkRow)
        .where(PassengerLinkRow.passenger_id == passenger_id)
        .order_by(PassengerLinkRow.made_at_us.desc(), PassengerLinkRow.id)
        .limit(100)
    )
    return [_link(row, now_us) for row in rows]


async def open_links_of(
    session: AsyncSession, passengers: Collection[str], now_us: int
) -> dict[str, list[str]]:
    """Give the ids of the open links that somebody made for passengers, by the passengers' ids."""
    ordered, found = sorted(passengers), dict[str, list[str]]()
    for at in range(0, len(ordered), IDS_AT_ONCE):
        rows = await session.execute(
            select(PassengerLinkRow.passenger_id, PassengerLinkRow.id)
            .where(
                PassengerLinkRow.passenger_id.in_(ordered[at : at + IDS_AT_ONCE]),
                PassengerLinkRow.made_by.is_not(None),
                *_open_at(now_us),
            )
            .order_by(PassengerLinkRow.id)
        )
        for passenger_id, link_id in rows:
            found.setdefault(passenger_id, []).append(link_id)
    return found


async def find_link(
    session: AsyncSession, link_id: str, now_us: int
) -> tuple[PassengerLink, str] | None:
    """Find a link; give it with its passenger's id."""
    row = await session.scalar(_of_id(link_id))
    return None if row is None else (_link(row, now_us), row.passenger_id)


async def revoke_link(session: AsyncSession, link_id: str, by: str, now_us: int) -> list[Event]:
    """Revoke a link; give what follows. One that is revoked already stays as it is."""
    revoked = await session.scalar(
        update(PassengerLinkRow)
        .where(
            PassengerLinkRow.id == link_id.replace("\x00", "?"),
            PassengerLinkRow.revoked_at_us.is_(None),
        )
        .values(revoked_at_us=now_us, revoked_by=by)
        .returning(PassengerLinkRow.id)
    )
    if revoked is None:
        return []
    after = {"revoked_at_us": now_us}
    subject = f"link {revoked}"
    await record(session, "link_revoked", account=subject, actor=by, at_us=now_us, after=after)
    return [PassengerLinkRevoked(at_us=now_us, link_id=revoked)]


async def forget_links(session: AsyncSession, now_us: int) -> None:
    """Forget links that ended a month ago."""
    await session.execute(
        delete(PassengerLinkRow).where(PassengerLinkRow.expires_at_us < now_us - KEPT_US)
    )


def _new_row(passenger_id: str, by: str | None, valid_h: int, now_us: int) -> PassengerLinkRow:
    expires_at_s = now_us // 1_000_000 + valid_h * HOUR_S
    return PassengerLinkRow(
        id=new_link_id(secrets.token_bytes(ID_BYTES)),
        passenger_id=passenger_id,
        made_at_us=now_us,
        made_by=by,
        expires_at_us=expires_at_s * 1_000_000,
        revoked_at_us=None,
        revoked_by=None,
        told=None,
    )


def _open_at(now_us: int) -> tuple[ColumnElement[bool], ...]:
    return PassengerLinkRow.revoked_at_us.is_(None), PassengerLinkRow.expires_at_us > now_us


def _of_id(link_id: str) -> Select[PassengerLinkRow]:
    return select(PassengerLinkRow).where(PassengerLinkRow.id == link_id.replace("\x00", "?"))


def _link(row: PassengerLinkRow, now_us: int) -> PassengerLink:
    is_expired = now_us >= row.expires_at_us
    return PassengerLink(
        id=row.id,
        state="revoked" if row.revoked_at_us is not None else "expired" if is_expired else "open",
        made_at_us=row.made_at_us,
        made_by=row.made_by,
        expires_at_us=row.expires_at_us,
        revoked_at_us=row.revoked_at_us,
        revoked_by=row.revoked_by,
    )
