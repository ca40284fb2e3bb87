"""Objects in a folder or in any S3 endpoint (SeaweedFS, MinIO, a cloud's), by their keys.

Nothing is held whole in memory: files go up and come down in pieces.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from aerocast_hub.settings import Settings, SettingsError
from aerocast_hub.storage.keys import ObjectError, check_key
from aerocast_hub.storage.refusals import why_refused

if TYPE_CHECKING:
    from obstore.store import ObjectStore, S3Config

PIECE = 8 * 1024 * 1024
PIECES_AT_ONCE = 4
MOST_PIECES = 9_000  # S3 takes 10,000 of one object
LARGEST_AT_ONCE = 16 * 1024 * 1024
LARGEST = 5 * 1024**4  # S3's own limit
CONNECT_WITHIN = timedelta(seconds=5)
# For one request, which carries 16 MiB at most, or 600 MiB of an object of several TiB.
ANSWER_WITHIN = timedelta(minutes=5)
TRY_AGAIN_FOR = timedelta(seconds=20)
MISSING = "objects need obstore: pip install 'aerocast-hub[s3]'"


class Stored(NamedTuple):
    """An object: its key, its size in bytes, when it was stored (UTC)."""

    key: str
    size: int
    stored_at_us: int


class Objects:
    """The store. Keys are ``kind/name``; an object is never written over.

    Attributes
    ----------
    where
        For people: the folder, or bucket and endpoint.
    folder
        Where the files are on this machine; None when they are elsewhere.
    """

    def __init__(self, store: "ObjectStore", where: str, folder: Path | None = None) -> None:
        self._store = store
        self.where = where
        self.folder = folder

    async def put_file(self, key: str, file: Path) -> None:
        """Store a file under a new key.

        Raises
        ------
        ObjectError
            There is such an object already, the file is too large, or the store does not take it.
        """
        import obstore  # noqa: PLC0415  an extra, loaded where it is used

        check_key(key)
        with self._telling(f"{key} cannot be stored", key):
            size = (await asyncio.to_thread(file.stat)).st_size
            if size > LARGEST:
                raise ObjectError(f"{file} has {size} bytes: an object has at most {LARGEST}")
            if size <= LARGEST_AT_ONCE:
                await obstore.put_async(self._store, key, file, mode="create", use_multipart=False)
                return
            # Large ones go in pieces, which S3 cannot refuse over an object that is there.
            await self.refuse_taken(key)
            await obstore.put_async(
                self._store,
                key,
                file,
                use_multipart=True,
                chunk_size=max(PIECE, size // MOST_PIECES),
                max_concurrency=PIECES_AT_ONCE,
            )

    async def refuse_taken(self, key: str) -> None:
        """Make sure a key is free, before something long is made for it.

        Raises
        ------
        ObjectError
            There is such an object already, or the store does not say.
        """
        if await self.has(key):
            raise ObjectError(_there_already(key, self.where))

    async def has(self, key: str) -> bool:
        """Say whether there is such an object.

        Raises
        ------
        ObjectError
            The store does not say.
        """
        import obstore  # noqa: PLC0415  an extra, loaded where it is used

        check_key(key)
        with self._telling(f"{key} cannot be looked for", key):
            try:
                await obstore.head_async(self._store, key)
            except FileNotFoundError:
                return False
            return True

    async def get_file(self, key: str, file: Path) -> str:
        """Copy an object to a file, whole or not at all; give its SHA-256.

        Raises
        ------
        ObjectError
            It is not there, or the store does not give it.
        """
        import obstore  # noqa: PLC0415  an extra, loaded where it is used

        check_key(key)
        digest = hashlib.sha256()
        unfinished = file.with_name(f"{file.name}.unfinished")
        try:
            with self._telling(f"{key} cannot be had", key):
                size = (await obstore.head_async(self._store, key))["size"]
                with unfinished.open("wb") as out:
                    for start in range(0, size, PIECE):
                        end = min(start + PIECE, size)
                        piece = await obstore.get_range_async(
                            self._store, key, start=start, end=end
                        )
                        await asyncio.to_thread(digest.update, piece)
                        await asyncio.to_thread(out.write, piece)
                await asyncio.to_thread(unfinished.rename, file)
        finally:
            await asyncio.to_thread(unfinished.unlink, missing_ok=True)
        return digest.hexdigest()

    async def delete(self, key: str) -> None:
        """Delete an object; nothing happens when there is none.

        Raises
        ------
        ObjectError
            The store does not do it.
        """
        import obstore  # noqa: PLC0415  an extra, loaded where it is used

        check_key(key)
        with self._telling(f"{key} cannot be deleted", key):
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                return

    async def list(self, folder: str) -> AsyncIterator[Stored]:
        """Give the objects of a kind, or of a folder in it (``captures/lfbo``), as they come.

        Raises
        ------
        ObjectError
            The store does not list them.
        """
        import obstore  # noqa: PLC0415  an extra, loaded where it is used

        with self._telling(f"{folder} cannot be listed", folder):
            async for some in obstore.list(self._store, folder):
                for each in some:
                    stored_at_us = round(each["last_modified"].timestamp() * 1e6)
                    yield Stored(each["path"], each["size"], stored_at_us)

    @contextmanager
    def _telling(self, what: str, key: str) -> Iterator[None]:
        """Tell what went wrong in a line that names the store and the mend."""
        from obstore.exceptions import (  # noqa: PLC0415  an extra, loaded where it is used
            AlreadyExistsError,
            BaseError,
        )

        try:
            yield
        except AlreadyExistsError as error:
            raise ObjectError(_there_already(key, self.where)) from error
        except (BaseError, OSError) as error:
            why = why_refused(str(error))
            raise ObjectError(f"{what}, {self.where}: {why}") from error


def open_objects(settings: Settings) -> Objects:
    """Open the store the settings name; a folder in ``data_dir`` when they name none.

    Raises
    ------
    SettingsError
        obstore is not installed, or the address is none.
    """
    try:
        from obstore.store import LocalStore, S3Store  # noqa: PLC0415  an extra
    except ImportError as error:
        raise SettingsError(MISSING) from error
    url = settings.objects_url
    if url is None or url.startswith("file:"):
        named = settings.data_dir / "objects" if url is None else Path(urlsplit(url).path)
        folder = named.absolute()
        try:
            return Objects(LocalStore(folder, mkdir=True), f"in {folder}", folder)
        except OSError as error:
            raise SettingsError(f"objects_url: {folder} cannot be made: {error}") from error
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if settings.s3_access_key is None or settings.s3_secret_key is None:
        raise SettingsError("s3_access_key and s3_secret_key are missing: objects_url needs them")
    config: S3Config = {
        "region": settings.s3_region,
        "access_key_id": settings.s3_access_key.get_secret_value(),
        "secret_access_key": settings.s3_secret_key.get_secret_value(),
        "virtual_hosted_style_request": False,
    }
    if settings.s3_endpoint is not None:
        config["endpoint"] = settings.s3_endpoint
    store = S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={
            "allow_http": (settings.s3_endpoint or "").startswith("http:"),
            "connect_timeout": CONNECT_WITHIN,
            "timeout": ANSWER_WITHIN,
        },
        retry_config={"max_retries": 5, "retry_timeout": TRY_AGAIN_FOR},
    )
    return Objects(store, f"in {url} at {settings.s3_endpoint or 'Amazon S3'}")


def _there_already(key: str, where: str) -> str:
    return f"{key} is there already, {where}: nothing is written over"
