"""What brokers read: whom to trust, and which certificates are good no more.

Kept in ``DATA_DIR/authority/public/`` as ``authority.pem`` and ``crl.pem``, for brokers on this
machine (they may read it, and nothing else there); others fetch it from the hub.
"""

import asyncio
import hashlib
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.database.engine import Database, is_unable_now
from aerocast_hub.enrolment.authorities import FOLDER, Authorities, load_authorities
from aerocast_hub.enrolment.certificates import revocation_list, to_pem
from aerocast_hub.enrolment.store import revoked_serials
from aerocast_hub.recent import Recent
from aerocast_hub.settings import Settings, SettingsError
from aerocast_hub.whole_file import write_whole

log = logging.getLogger(__name__)

PUBLIC = "public"
LOOK_EVERY_S = 2.0
WRITE_ANEW_AFTER_S = 24 * 3600.0
SIGNED_FOR_S = 3600.0


class SignedList(NamedTuple):
    """The lists as PEM after PEM, and a mark that changes with them."""

    pem: str
    mark: str


class Revocations:
    """Gives the signed lists: signed anew when they change or are ``SIGNED_FOR_S`` old.

    However many ask, the database is asked once in ``LOOK_EVERY_S``.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._recent: Recent[str, SignedList] = Recent(self._look, kept_s=LOOK_EVERY_S)
        self._known: object = None
        self._signed = SignedList("", "")
        self._signed_at_s = 0.0

    async def signed(self) -> SignedList:
        """Give the lists.

        Raises
        ------
        SettingsError
            There is no authority to sign them.
        """
        return await self._recent.get("")

    async def _look(self, _key: str) -> SignedList:
        authorities = load_authorities(self._settings)
        known = await _revoked(self._database, authorities)
        if known != self._known or time.monotonic() - self._signed_at_s > SIGNED_FOR_S:
            pem = await revocation_lists(self._database, authorities)
            self._signed = SignedList(pem, hashlib.sha256(pem.encode()).hexdigest()[:32])
            self._known, self._signed_at_s = known, time.monotonic()
        return self._signed


async def _revoked(database: Database, authorities: Authorities) -> object:
    now_us = time.time_ns() // 1000
    async with database.reading() as session:
        return [
            (each.certificate.serial_number, await revoked_serials(session, each, now_us))
            for each in authorities.every()
        ]


async def revocation_lists(database: Database, authorities: Authorities) -> str:
    """Give the list of each authority, as PEM after PEM."""
    now_us = time.time_ns() // 1000
    now = datetime.fromtimestamp(now_us // 1_000_000, UTC)
    lists = []
    async with database.reading() as session:
        for authority in authorities.every():
            revoked = await revoked_serials(session, authority, now_us)
            lists.append(to_pem(revocation_list(authority, revoked, now, now_us)))
    return "".join(lists)


async def write_for_brokers(
    database: Database, settings: Settings, elsewhere: Path | None = None
) -> Path:
    """Write what brokers read; give the folder.

    Raises
    ------
    OSError, SettingsError
        It cannot be written, or there is no authority to sign it.
    """
    authorities = load_authorities(settings)
    lists = await revocation_lists(database, authorities)
    return _write(authorities.bundle(), lists, elsewhere or _public_folder(settings))


def _public_folder(settings: Settings) -> Path:
    folder = settings.data_dir / FOLDER / PUBLIC
    folder.mkdir(parents=True, exist_ok=True)
    for opened in (folder, folder.parent):  # the keys in there are for nobody else's eyes
        opened.chmod(0o755)
    return folder


def _write(bundle: str, lists: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("authority.pem", bundle), ("crl.pem", lists)):
        write_whole(folder / name, content.encode(), mode=0o644)
    return folder


async def keep_written(database: Database, settings: Settings) -> None:
    """Write it anew whenever something was revoked, and daily; until cancelled."""
    known: object = None
    written_at_s = -WRITE_ANEW_AFTER_S
    while True:
        try:
            authorities = load_authorities(settings)
            revoked = await _revoked(database, authorities)
            if revoked != known or time.monotonic() - written_at_s > WRITE_ANEW_AFTER_S:
                await write_for_brokers(database, settings)
                known, written_at_s = revoked, time.monotonic()
        except (SQLAlchemyError, OSError, SettingsError) as error:
            if is_unable_now(error):
                database.tell_failure("what brokers read of revoked gateways waits", error)
            else:
                log.warning("what brokers read of revoked gateways could not be written: %s", error)
        await asyncio.sleep(LOOK_EVERY_S)
