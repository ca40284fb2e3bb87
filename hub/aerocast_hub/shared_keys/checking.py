"""Comparing a hub's keys with those its database is used with; the first hub's are the right ones.

Hubs with different data keys would seal names the others cannot open; with another secret key or
other token keys they would refuse each other's links and tokens.
"""

import hmac
from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.auth.tokens import key_id
from aerocast_hub.data_keys import DataKeyError
from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.settings import Settings, SettingsError
from aerocast_hub.shared_keys.tables import SharedKeyRow

SECRET, TOKENS = "secret", "tokens"
_REFUSED = (
    "{} than this database is used with. Give this hub what the other hubs have, or the backup. "
    "If that is lost for good, 'aerocast-hub keys accept' takes what this hub has; what was sealed "
    "or signed with the lost ones stays shut"
)
_DATA_REFUSED = _REFUSED.format("the data keys (DATA_KEYS, or data.keys in DATA_DIR) are others")
_SECRET_REFUSED = _REFUSED.format(
    "the secret key (SECRET_KEY, or secret.key in DATA_DIR) is another"
)
_TOKENS_REFUSED = _REFUSED.format("the token keys (the folder token_keys in DATA_DIR) are others")


async def check_keys(database: Database, settings: Settings, keys: TokenKeys) -> None:
    """See whether this hub has the keys its database is used with; the first one's are noted.

    Raises
    ------
    SettingsError
        It has others: which, and what to do.
    """
    mine = {SECRET: _mark_of(settings.signing_key())}
    ids = {key_id(each) for each in keys.public_keys()}
    if ids:  # a service without sign-in waits until there are some
        mine[TOKENS] = " ".join(sorted(ids))
    async with database.writing() as session:
        await insert_new(session, SharedKeyRow, _rows(mine))
        known = await known_marks(session)
        # Refused in the transaction: nothing is noted of a hub that does not start.
        if not hmac.compare_digest(known[SECRET], mine[SECRET]):
            raise SettingsError(_SECRET_REFUSED)
        if ids and not ids & set(known[TOKENS].split()):
            raise SettingsError(_TOKENS_REFUSED)


async def known_marks(session: AsyncSession) -> dict[str, str]:
    """Give what was noted of each key.

    Raises
    ------
    SettingsError
        The data keys are others.
    """
    try:
        rows = await session.scalars(select(SharedKeyRow))
    except DataKeyError:
        raise SettingsError(_DATA_REFUSED) from None
    return {each.name: each.mark for each in rows}


async def note_token_keys(session: AsyncSession, ids: Collection[str]) -> None:
    """Note the token keys after one was brought in, in the caller's transaction."""
    await insert_or_replace(session, SharedKeyRow, _rows({TOKENS: " ".join(sorted(ids))}))


async def forget_marks(session: AsyncSession) -> None:
    """Let the next hub that starts say which keys are the right ones."""
    await session.execute(delete(SharedKeyRow))


def _rows(marks: dict[str, str]) -> list[dict[str, object]]:
    return [{"name": name, "mark": mark} for name, mark in marks.items()]


def _mark_of(secret: str) -> str:
    return hmac.new(secret.encode(), b"aerocast shared key", "sha256").hexdigest()
