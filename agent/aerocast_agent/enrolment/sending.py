"""Send the hub a file, diagnostics or a capture, on the word of the gateway's present key."""

import base64
import contextlib
import hashlib
import http.client
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Literal
from urllib.parse import urlsplit

import msgspec

from aerocast_agent.enrolment import keys
from aerocast_agent.enrolment.hub import (
    EnrolmentError,
    HubAddress,
    check_url,
    present_in,
    refusal,
    trusting,
)

FILES = "/api/gateway-files"
# The hub looks through the gateway's other files and writes this one away before it answers.
WITHIN_S = 300.0
LARGEST_ANSWER = 65_536
PIECE = 262_144

Kind = Literal["bundles", "captures"]


class FileStored(msgspec.Struct, frozen=True, kw_only=True):
    """Where the hub keeps it, and its bytes."""

    key: str
    size: int


def send_file(hub: HubAddress, folder: Path, kind: Kind, file: Path) -> FileStored:
    """Send a file whole, a piece at a time.

    Parameters
    ----------
    folder
        Of the gateway's identity.

    Raises
    ------
    EnrolmentError
        The hub was not reached or did not take it; ``refused`` when it says so.
    OSError
        A file cannot be read.
    """
    check_url(hub.url)
    present = present_in(folder)
    with file.open("rb") as opened:
        size = file.stat().st_size
        said = msgspec.json.encode(
            {
                "certificate": present.certificate,
                "kind": kind,
                "name": file.name,
                "size": size,
                "sha256": hashlib.file_digest(opened, "sha256").hexdigest(),
            }
        )
        opened.seek(0)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
            "Accept": "application/json",
            "X-Aerocast-File": base64.b64encode(said).decode(),
            "X-Aerocast-Signature": keys.sign_file(present.pem, said),
        }
        parts = urlsplit(hub.url)
        host = parts.hostname or ""
        connection = (
            http.client.HTTPSConnection(
                host, parts.port, timeout=WITHIN_S, context=trusting(hub), blocksize=PIECE
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=WITHIN_S, blocksize=PIECE)
        )
        try:
            status, content = _exchange(connection, parts.path.rstrip("/") + FILES, opened, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EnrolmentError(
                f"{hub.url}: {error}; see that the hub runs and can be reached"
            ) from error
        finally:
            connection.close()
    if status >= 400:
        raise refusal(hub, status, content)
    try:
        return msgspec.json.decode(content, type=FileStored)
    except msgspec.DecodeError as error:
        raise EnrolmentError(f"{hub.url}{FILES}: the answer is no hub's: {error}") from error


def _exchange(
    connection: http.client.HTTPConnection, path: str, body: BinaryIO, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    # A hub that says no does so before it has read the whole: its answer is there all the same.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.request("POST", path, body, dict(headers))
    answer = connection.getresponse()
    return answer.status, answer.read(LARGEST_ANSWER)
