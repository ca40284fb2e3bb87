"""How the EPCIS interface answers: its headers, its errors (RFC 7807), its pages."""

import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode

import msgspec
from aerocast_protocols.epcis.event_hash import time_text
from aerocast_protocols.epcis.vocabulary import CONTEXT
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from aerocast_hub.auth.tokens import Principal
from aerocast_hub.web.problems import headers_of, problem_from

PATH = "/epcis/v2"
VERSION = "2.0.0"
JSON = "application/json"
JSON_LD = "application/ld+json"
CAPTURE_LIMIT = 1000
CAPTURE_FILE_SIZE_LIMIT = 4_194_304
LONGEST_ADDRESS = 16_384
TOKEN_LIVES_S = 3600

Asking = Request[Principal, Any, State]

_log = logging.getLogger(__name__)

HEADERS = {
    "GS1-EPCIS-Version": VERSION,
    "GS1-CBV-Version": VERSION,
    "GS1-EPCIS-Min": VERSION,
    "GS1-EPCIS-Max": VERSION,
    "GS1-CBV-Min": VERSION,
    "GS1-CBV-Max": VERSION,
    "GS1-EPC-Format": "Never_Translates",
    "GS1-CBV-XML-Format": "Never_Translates",
    "GS1-Vendor-Version": "AeroCast",
    "GS1-Extensions": "aerocast",
    "GS1-EPCIS-Capture-Limit": str(CAPTURE_LIMIT),
    "GS1-EPCIS-Capture-File-Size-Limit": str(CAPTURE_FILE_SIZE_LIMIT),
    "GS1-Capture-Error-Behaviour": "rollback",
}
# What any request may be answered, and what one that sends something or asks much may be besides.
NEGOTIATED = {
    400: "What was asked does not fit; `type` names the exception of EPCIS 2.0.",
    406: "Nothing here is told in that form or version.",
    414: f"The address is longer than {LONGEST_ADDRESS} characters.",
}
SENT = {415: f"Send {JSON} or {JSON_LD}."}
TAKEN = {409: "There is one of this name or id already."}
ASKED_MUCH = {413: "The query is too large or too complex: ask for less."}
_BY_STATUS = {
    400: "ValidationException",
    401: "SecurityException",
    403: "SecurityException",
    404: "NoSuchResourceException",
    405: "UnsupportedOperationException",
    406: "NotAcceptableException",
    409: "ResourceAlreadyExistsException",
    413: "CaptureLimitExceededException",
    414: "URITooLongException",
    415: "UnsupportedMediaTypeException",
}


class EpcisError(HTTPException):
    """An error by its EPCIS name.

    Parameters
    ----------
    kind
        ``QueryParameterException`` ...
    """

    def __init__(self, status: int, kind: str, detail: str) -> None:
        super().__init__(detail=detail, status_code=status)
        self.kind = kind


class EpcisProblem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem details object (RFC 7807)."""

    type: str
    title: str
    status: int
    detail: str | None = None


def answer_error(_request: Asking, error: Exception) -> Response[EpcisProblem]:
    """Answer a request that failed."""
    told = problem_from(error)
    kind = error.kind if isinstance(error, EpcisError) else None
    detail = told.detail
    if isinstance(error, ValidationException) and told.errors:
        detail = "; ".join(f"{each['field']}: {each['message']}" for each in told.errors)
    if told.reference is not None:
        _log.error("request failed, reference %s", told.reference, exc_info=error)
        detail = f"reference {told.reference}"
    problem = EpcisProblem(
        type=f"epcisException:{kind or _BY_STATUS.get(told.status, 'ImplementationException')}",
        title=told.title,
        status=told.status,
        detail=detail,
    )
    headers = HEADERS | dict(headers_of(error))
    if told.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        problem,
        status_code=told.status,
        headers=headers,
        media_type="application/problem+json",
    )


ERROR_HANDLERS: ExceptionHandlersMap = {HTTPException: answer_error, Exception: answer_error}


def negotiate(request: Asking) -> None:
    """Look at what the asker can read and expects.

    Raises
    ------
    EpcisError
        It cannot be answered that way.
    """
    asked = request.scope["raw_path"] + request.scope["query_string"]
    if len(asked) > LONGEST_ADDRESS:
        raise EpcisError(414, "URITooLongException", f"longer than {LONGEST_ADDRESS} characters")
    for name in ("GS1-EPCIS", "GS1-CBV"):
        lowest, highest = request.headers.get(f"{name}-Min"), request.headers.get(f"{name}-Max")
        exact = request.headers.get(f"{name}-Version")
        if (
            (lowest is not None and _numbers(lowest) > _numbers(VERSION))
            or (highest is not None and _numbers(highest) < _numbers(VERSION[:3]))
            or (exact is not None and _numbers(exact)[:1] != _numbers(VERSION)[:1])
        ):
            raise EpcisError(406, "NotAcceptableException", f"{name}: this is version {VERSION}")
    accepted = request.headers.get("accept", "*/*").lower()
    if not any(each in accepted for each in ("*/*", "application/*", JSON, JSON_LD)):
        raise EpcisError(406, "NotAcceptableException", f"answers are {JSON} or {JSON_LD}")
    for name in ("GS1-EPC-Format", "GS1-CBV-XML-Format"):
        wanted = request.headers.get(name, "No_Preference")
        if wanted not in ("No_Preference", "Never_Translates"):
            raise EpcisError(406, "NotAcceptableException", f"{name}: nothing is translated here")


def _numbers(version: str) -> list[int]:
    return [int(each) for each in version[:20].split(".") if each.isdecimal()]


def check_media_type(request: Asking) -> None:
    """Look at what was sent.

    Raises
    ------
    EpcisError
        It is not JSON.
    """
    if request.content_type[0].lower() not in (JSON, JSON_LD):
        raise EpcisError(415, "UnsupportedMediaTypeException", f"send {JSON} or {JSON_LD}")


def add_headers(response: Response[Any]) -> Response[Any]:
    """Say what this interface is, on every answer that is no error."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[Any]:
    """Answer with JSON (bytes: as they are)."""
    return Response(content, status_code=status, media_type=JSON, headers=dict(headers or {}))


def collection(member: list[str]) -> dict[str, object]:
    """Write a collection."""
    return {"@context": CONTEXT, "type": "Collection", "member": member}


def page_headers(request: Asking, after: str | None, query: str) -> dict[str, str]:
    """Say where the next page is, if there is one.

    Parameters
    ----------
    query
        Names the query: `aerocast_hub.epcis.store.fingerprint`.
    """
    if after is None:
        return {}
    expires_s = int(time.time()) + TOKEN_LIVES_S
    asked = [each for each in request.query_params.multi_items() if each[0] != "nextPageToken"]
    token = ("nextPageToken", f"{after}.{query}.{expires_s}")
    address = f"{request.url.path}?{urlencode([*asked, token])}"
    return {
        "Link": f'<{address}>; rel="next"',
        "GS1-Next-Page-Token-Expires": time_text(expires_s * 1_000_000),
    }


def read_token(token: str | None, query: str) -> str | None:
    """Read what `page_headers` wrote.

    Raises
    ------
    EpcisError
        It is of another query, or too old.
    """
    if token is None:
        return None
    after, _, rest = token.rpartition(".")[0].partition(".")
    expires = token.rpartition(".")[2]
    if rest != query or not expires.isdecimal() or len(expires) > 12:
        raise EpcisError(400, "QueryParameterException", "nextPageToken is of no page of this")
    if int(expires) < time.time():
        raise EpcisError(400, "QueryParameterException", "nextPageToken is too old: ask anew")
    return after


def asked_resource(request: Asking) -> tuple[str, str]:
    """Give the name and value in an address: ``/bizSteps/shipping/events``.

    Values are addresses themselves, percent-encoded; what decoding makes of the path loses them.
    """
    raw = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    named = raw.partition(f"{PATH}/")[2].strip("/")
    name, _, value = named.partition("/")
    return name, unquote(value.removesuffix("/events") if name != "events" else value)
