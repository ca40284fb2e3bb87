"""Objects in a folder or in any S3 endpoint (SeaweedFS, MinIO, a cloud's), by their keys."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from aerocast_hub.settings import Settings, SettingsError

if TYPE_CHECKING:
    from obstore.store import ObjectStore, S3Config

KINDS = ("archive", "bundles", "captures", "exports")
"""Folders of the store: monthly archives, diagnostics, IQ and raw captures, exports."""
PIECE = 8 * 1024 * 1024
LARGEST_AT_ONCE = 64 * 1024 * 1024
MISSING = "objects need obstore: pip install 'aerocast-hub[s3]'"


class ObjectError(Exception):
    """The store does not do what was asked; the message names the key and the mend."""


class Stored(NamedTuple):
    """An object: its key, its size in bytes."""

    key: str
    size: int


class Objects:
    """The store. Keys are ``kind/name``; an object is never written over."""

    def __init__(self, store: "ObjectStore", where: str) -> None:
        self._store = store
        self.where = where

    async def put_file(self, key: str, file: Path) -> None:
        """Store a file under a new key.

        Raises
        ------
        ObjectError
            There is such an object already, or the store cannot be reached.
        """
        import obstore  # noqa: PLC0415  an extra, loaded where it is used
        from obstore.exceptions import AlreadyExistsError, BaseError  # noqa: PLC0415  likewise

        _check_key(key)
        try:
            # Large ones go in pieces, which S3 cannot refuse over an object that is there.
            if (await asyncio.to_thread(file.stat)).st_size <= LARGEST_AT_ONCE:
                await obstore.put_async(self._store, key, file, mode="create", use_multipart=False)
            elif not await self._is_there(key):
                await obstore.put_async(self._store, key, file, use_multipart=True)
            else:
                raise ObjectError(_there_already(key, self.where))
        except AlreadyExistsError as error:
            raise ObjectError(_there_already(key, self.where)) from error
        except (BaseError, OSError) as error:
            raise ObjectError(f"{key} cannot be stored in {self.where}: {_said(error)}") from error

    async def _is_there(self, key: str) -> bool:
        import obstore  # noqa: PLC0415  an extra, loaded where it is used

        try:
            await obstore.head_async(self._store, key)
        except FileNotFoundError:
            return False
        return True

    async def get_file(self, key: str, file: Path) -> str:
        """Copy an object to a file; give its SHA-256.

        Raises
        ------
        ObjectError
            It is not there, or the store cannot be reached.
        """
        import obstore  # noqa: PLC0415  an extra, loaded where it is used
        from obstore.exceptions import BaseError  # noqa: PLC0415  likewise

        _check_key(key)
        digest = hashlib.sha256()
        try:
            got = await obstore.get_async(self._store, key)
            with file.open("wb") as out:
                async for piece in got.stream(min_chunk_size=PIECE):
                    digest.update(piece)
                    out.write(piece)
        except (BaseError, OSError) as error:
            raise ObjectError(f"{key} cannot be had from {self.where}: {_said(error)}") from error
        return digest.hexdigest()

    async def delete(self, key: str) -> None:
        """Delete an object; nothing happens when there is none.

        Raises
        ------
        ObjectError
            The store cannot be reached.
        """
        import obstore  # noqa: PLC0415  an extra, loaded where it is used
        from obstore.exceptions import BaseError  # noqa: PLC0415  likewise

        _check_key(key)
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise ObjectError(f"{key} cannot be deleted in {self.where}: {_said(error)}") from error

    async def list(self, kind: str) -> AsyncIterator[Stored]:
        """Give the objects of a kind, by key.

        Raises
        ------
        ObjectError
            The store cannot be reached.
        """
        import obstore  # noqa: PLC0415  an extra, loaded where it is used
        from obstore.exceptions import BaseError  # noqa: PLC0415  likewise

        try:
            found = [
                Stored(each["path"], each["size"])
                async for some in obstore.list(self._store, kind)
                for each in some
            ]
        except (BaseError, OSError) as error:
            raise ObjectError(f"{self.where} cannot be listed: {_said(error)}") from error
        for each in sorted(found):
            yield each


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
        folder = settings.data_dir / "objects" if url is None else Path(urlsplit(url).path)
        return Objects(LocalStore(folder.absolute(), mkdir=True), str(folder))
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
    may_be_plain = (settings.s3_endpoint or "").startswith("http:")
    store = S3Store(
        bucket, prefix=prefix or None, config=config, client_options={"allow_http": may_be_plain}
    )
    return Objects(store, url)


def _said(error: Exception) -> str:
    """Give what went wrong, without the whole request behind it."""
    return str(error).partition("\n")[0]


def _there_already(key: str, where: str) -> str:
    return f"{key} is in {where} already: nothing is written over"


def _check_key(key: str) -> None:
    parts = key.split("/")
    if parts[0] not in KINDS or len(parts) < 2 or any(part in {"", ".", ".."} for part in parts):
        raise ObjectError(f"{key!r} is no key: it is KIND/NAME, of {', '.join(KINDS)}")
