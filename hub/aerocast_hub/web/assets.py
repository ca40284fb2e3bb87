"""Static files: served from here, never from another site, and kept by browsers until they change.

Pages name them by `asset_url`, which carries a piece of the file's SHA-256: a new version has a new
address, so the old one may be kept for ever. Third-party files stand in ``vendor/`` with a manifest
of where they are from, their licence and their hashes.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Router
from litestar.connection import ASGIConnection
from litestar.datastructures import CacheControlHeader
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.static_files import create_static_files_router

STATIC = Path(__file__).parent / "static"
VENDOR = STATIC / "vendor"
LONGEST_NAME = 200
SWAGGER_UI = "vendor/swagger-ui-5.35.0"


@cache
def asset_url(name: str) -> str:
    """Give the address of a static file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    content = (STATIC / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def static_files() -> Router:
    """Serve the files, to anybody."""
    return create_static_files_router(
        path="/static",
        directories=[STATIC],
        cache_control=CacheControlHeader(max_age=31_536_000, public=True, immutable=True),
        opt={"public": True},
        guards=[_name_a_file],
    )


def _name_a_file(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Refuse what no file can be called, which the disk would raise errors of its own for."""
    name = connection.scope["path"].removeprefix("/static/")
    if len(name) > LONGEST_NAME or "\x00" in name:
        raise NotFoundException
