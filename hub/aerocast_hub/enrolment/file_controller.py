"""Files gateways send: diagnostics and captures, on the word of their present key.

A file goes to the store of objects as ``bundles/SITE/GATEWAY/NAME`` or ``captures/...``. Nothing of
it is read before the word is checked, and no more of it than the word says.
"""

import asyncio
import base64
import hashlib
import logging
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from litestar import Controller, Request, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import (
    ClientException,
    PermissionDeniedException,
    ServiceUnavailableException,
    ValidationException,
)
from litestar.params import HeaderParameter

from aerocast_hub.audit.trail import record
from aerocast_hub.auth.caller import client_of
from aerocast_hub.auth.limiting.attempts import Attempts
from aerocast_hub.database.engine import Database
from aerocast_hub.enrolment.certificates import LONGEST_REQUEST, is_signed_by, read_key
from aerocast_hub.enrolment.controller import NOT_RENEWED, count_try
from aerocast_hub.enrolment.store import owner_of, why_not
from aerocast_hub.settings import Settings, SettingsError
from aerocast_hub.storage.keys import ObjectError
from aerocast_hub.storage.objects import Objects, open_objects

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
LARGEST_FILE = 1024 * MEGABYTE
"""Whatever the settings allow."""
FILE_WORD = b"aerocast file v1\0"
"""What a gateway signs is this, then the word as sent."""
LONGEST_WORD = 8192
TAKEN = 409


class FileWord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a gateway says of a file it sends.

    Attributes
    ----------
    certificate
        PEM, of the key that signs.
    kind
        Diagnostics or a recording of a device's bytes.
    sha256
        Of the content, in hex.
    """

    certificate: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_REQUEST)]
    kind: Literal["bundles", "captures"]
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")]
    size: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_FILE)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class FileStored(msgspec.Struct, frozen=True, kw_only=True):
    """Where a file is in the store of objects, and its bytes."""

    key: str
    size: int


class GatewayFileController(Controller):
    """Diagnostics and captures of gateways."""

    path = "/api/gateway-files"
    tags = ("Gateways",)

    @post(
        "/",
        operation_id="StoreGatewayFile",
        status_code=201,
        opt={"public": True},
        security=[{}],
        request_max_body_size=LARGEST_FILE,
    )
    async def store(
        self,
        request: Request[Any, Any, State],
        settings: NamedDependency[Settings],
        database: NamedDependency[Database],
        enrolment_tries: NamedDependency[Attempts],
        x_aerocast_file: Annotated[str, HeaderParameter(name="X-Aerocast-File")],
        x_aerocast_signature: Annotated[
            str, HeaderParameter(name="X-Aerocast-Signature", max_length=256)
        ],
    ) -> FileStored:
        """Store a gateway's file: the body, as it is.

        ``X-Aerocast-File`` is the base64 of a JSON object, `certificate`, `kind`, `name`, `size`,
        `sha256`; ``X-Aerocast-Signature`` the base64 of ECDSA with SHA-256 by the certificate's key
        over ``aerocast file v1``, a zero byte, and that JSON.

        Raises
        ------
        PermissionDeniedException
            The certificate is not good any more, or the word is not its key's.
        ValidationException
            The word cannot be read, or the content is not what it says.
        ClientException
            409: there is such a file. 413: it is too large, or the gateway has too much there.
        ServiceUnavailableException
            The store does not take it now.
        TooManyRequestsException
            Too many tries from there.
        """
        await count_try(enrolment_tries, "file", client_of(request))
        word, key = read_word(x_aerocast_file, x_aerocast_signature)
        site, name = await _owner(database, key)
        if word.size > settings.gateway_file_mb * MEGABYTE:
            raise ClientException(
                f"{word.name} has {word.size} bytes: a file has at most {settings.gateway_file_mb} "
                "MB (GATEWAY_FILE_MB)",
                status_code=413,
            )
        try:
            objects = await asyncio.to_thread(open_objects, settings)
            object_key = f"{word.kind}/{site}/{name}/{word.name}"
            await _check_room(objects, f"{site}/{name}", word, settings.gateway_files_mb)
            if await objects.has(object_key):
                raise ClientException(f"{object_key} is there already", status_code=TAKEN)
            with tempfile.TemporaryDirectory(prefix="aerocast-file-") as folder:
                file = Path(folder, "file")
                await _take(request, word, file)
                await objects.put_file(object_key, file)
        except (ObjectError, SettingsError) as error:
            log.warning("a file of %s/%s is not stored: %s", site, name, error)
            raise ServiceUnavailableException(
                "the store of objects does not take it now: the hub's log says why"
            ) from error
        async with database.writing() as session:
            gateway = f"gateway {site}/{name}"
            after = {"size": word.size, "sha256": word.sha256}
            await record(
                session, "gateway_file_stored", subject=object_key, after=after, actor=gateway
            )
        log.info("%s sent %s: %d bytes", gateway, object_key, word.size)
        return FileStored(key=object_key, size=word.size)


def read_word(word: str, signature: str) -> tuple[FileWord, ec.EllipticCurvePublicKey]:
    """Read what a gateway says of a file, and make sure that its key has said so.

    Raises
    ------
    PermissionDeniedException
        The key has not signed this.
    ValidationException
        Something cannot be read.
    """
    if len(word) > LONGEST_WORD:
        raise ValidationException(f"X-Aerocast-File has more than {LONGEST_WORD} characters")
    try:
        said = base64.b64decode(word, validate=True)
        signed = base64.b64decode(signature, validate=True)
        told = msgspec.json.decode(said, type=FileWord)
        key = read_key(told.certificate)
    except (ValueError, TypeError) as error:
        raise ValidationException(
            f"X-Aerocast-File or X-Aerocast-Signature cannot be read: {str(error)[:200]}"
        ) from error
    if key is None:
        raise PermissionDeniedException(NOT_RENEWED["unknown"])
    if not is_signed_by(key, signed, FILE_WORD + said):
        raise PermissionDeniedException("the signature is not of the certificate's key")
    return told, key


async def _owner(database: Database, key: ec.EllipticCurvePublicKey) -> tuple[str, str]:
    now_us = time.time_ns() // 1000
    async with database.reading() as session:
        owner = await owner_of(session, key, now_us)
        if owner is None:
            raise PermissionDeniedException(NOT_RENEWED[await why_not(session, key, now_us)])
    return owner


async def _check_room(objects: Objects, gateway: str, word: FileWord, most_mb: int) -> None:
    """Refuse what would be more than one gateway may have there."""
    there = 0
    for kind in ("bundles", "captures"):
        async for stored in objects.list(f"{kind}/{gateway}"):
            there += stored.size
    if there + word.size > most_mb * MEGABYTE:
        raise ClientException(
            f"files of {gateway} take {there} bytes, and all of a gateway's at most {most_mb} MB "
            "(GATEWAY_FILES_MB): delete some with 'aerocast-hub objects delete'",
            status_code=413,
        )


async def _take(request: Request[Any, Any, State], word: FileWord, file: Path) -> None:
    digest, size = hashlib.sha256(), 0
    with file.open("wb") as out:
        async for piece in request.stream():
            size += len(piece)
            if size > word.size:
                break
            digest.update(piece)
            await asyncio.to_thread(out.write, piece)
    if size != word.size or digest.hexdigest() != word.sha256:
        raise ValidationException("the content is not what was signed: send it again")
