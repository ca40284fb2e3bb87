"""Errors as people and programs want them: RFC 9457 problem details, or a page in a browser.

``title`` is the status's own phrase and ``detail`` says what happened this time (RFC 9457 §3.1.3,
§3.1.4, and §4.2.1 for the type ``about:blank``, which is left out). What went wrong inside the hub
is logged under a reference and never shown.
"""

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal, TypedDict, get_args, get_origin
from urllib.parse import quote

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.enums import MediaType
from litestar.exceptions import HTTPException, InternalServerException, ValidationException
from litestar.types import ExceptionHandlersMap

from aerocast_hub.asking.client import ServiceAwayError
from aerocast_hub.database.engine import is_conflict, is_unable_now
from aerocast_hub.database.turns import NoTurnError
from aerocast_hub.web.templates import render

PROBLEM_JSON = "application/problem+json"
LOGIN = "/login"
AWAY_S = 5
AWAY = (ServiceAwayError, NoTurnError)
"""What is over in a moment, and says what it is: the same request again may succeed."""
_CUT_OFF = "client disconnected prematurely"
"""What Litestar says, as an error of the server's, when a body ends before it is whole."""

_log = logging.getLogger(__name__)


class Refusal(TypedDict):
    """One thing wrong with what was sent."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem details object (RFC 9457 §3.1).

    Attributes
    ----------
    errors
        What was wrong with which field, when the request did not fit.
    reference
        Names the entry in the hub's log, when the fault is the hub's.
    """

    status: int
    title: str
    detail: str | None = None
    errors: list[Refusal] = []
    reference: str | None = None


def problem_from(error: Exception) -> Problem:
    """Say what an exception means to whoever asked."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if _is_over_in_a_moment(error):
        told = f"{_what_is_over_soon(error)}: try again in a moment"
        return Problem(status=503, title=_phrase(503), detail=told)
    if isinstance(error, InternalServerException) and error.detail == _CUT_OFF:
        # Networks do that every day; nobody is left to read this, and nobody is to be woken.
        return Problem(
            status=400, title=_phrase(400), detail="the request ended before its body did"
        )
    title = _phrase(status)
    if status >= 500:
        return Problem(status=status, title=title, reference=secrets.token_hex(6))
    detail = error.detail if isinstance(error, HTTPException) and error.detail != title else None
    if isinstance(error, ValidationException):
        # Litestar's own text repeats the method and the URL; the fields below say it better.
        errors = _refusals(error.extra)
        detail = "the request does not fit: see errors" if errors else detail
        return Problem(status=status, title=title, detail=detail, errors=errors)
    return Problem(status=status, title=title, detail=detail)


def answer_error(request: Request[Any, Any, State], error: Exception) -> Response[Any]:
    """Answer a request that failed: a page for browsers, problem details for everyone else."""
    problem = problem_from(error)
    if isinstance(error, ValidationException) and problem.errors:
        told = [_with_words(request, each) for each in problem.errors]
        problem = msgspec.structs.replace(problem, errors=told)
    if problem.reference is not None:
        _log.error("request failed, reference %s", problem.reference, exc_info=error)
    elif is_unable_now(error):
        request.app.state.hub.database.tell_failure("requests are not answered", error)
    elif is_conflict(error):
        # Without what the database says of it: the values of the row may be a name.
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        _log.warning("a request met another writer, %s: %s", state, request.route_handler)
    headers = dict(headers_of(error))
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    if not wants_page(request):
        return Response(
            problem, status_code=problem.status, headers=headers, media_type=PROBLEM_JSON
        )
    if problem.status == 401 and request.method == "GET":
        return Response(
            b"", status_code=303, headers={"Location": f"{LOGIN}?next={quote(_path(request))}"}
        )
    return Response(
        render("error.html", problem=problem),
        status_code=problem.status,
        headers=headers,
        media_type=MediaType.HTML,
    )


def wants_page(request: Request[Any, Any, State]) -> bool:
    """Say whether a person in a browser is asking."""
    return "text/html" in request.headers.get("accept", "")


ERROR_HANDLERS: ExceptionHandlersMap = {HTTPException: answer_error, Exception: answer_error}


def _is_over_in_a_moment(error: Exception) -> bool:
    return isinstance(error, AWAY) or is_unable_now(error) or is_conflict(error)


def _what_is_over_soon(error: Exception) -> object:
    if isinstance(error, AWAY):
        return error
    if is_conflict(error):
        return "somebody else wrote of the same at this moment"
    return "the database does not answer"


def _path(request: Request[Any, Any, State]) -> str:
    query = request.scope["query_string"].decode("latin-1")
    return request.url.path + (f"?{query}" if query else "")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def headers_of(error: Exception) -> Mapping[str, str]:
    """Give the headers an error brings: when to come back, which methods there are."""
    own = (error.headers or {}) if isinstance(error, HTTPException) else {}
    is_away = _is_over_in_a_moment(error) or getattr(error, "status_code", None) == 503
    return {"Retry-After": str(AWAY_S)} | dict(own) if is_away else own


def _with_words(request: Request[Any, Any, State], refusal: Refusal) -> Refusal:
    """Name the words there are, where somebody sent another one."""
    if not refusal["message"].startswith("Invalid enum value"):
        return refusal
    parameters = request.route_handler.parsed_fn_signature.parameters
    kinds = {name: each.annotation for name, each in parameters.items()}
    body = kinds.get("data")
    if isinstance(body, type) and issubclass(body, msgspec.Struct):
        kinds |= {each.encode_name: each.type for each in msgspec.structs.fields(body)}
    words = _words(kinds.get(refusal["field"]))
    if not words:
        return refusal
    return Refusal(
        field=refusal["field"],
        message=f"{refusal['message']}: expected {', '.join(map(str, words))}",
    )


def _words(kind: object) -> tuple[object, ...]:
    """Give the words of a literal type, that may be one of several types; none of any other."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(word for each in get_args(kind) for word in _words(each))


def _refusals(extra: object) -> list[Refusal]:
    """Read Litestar's list of ``{"message", "key", "source"}``."""
    if not isinstance(extra, list):
        return []
    return [
        Refusal(field=str(each.get("key", "")), message=str(each.get("message", "")))
        for each in extra
        if isinstance(each, dict)
    ]
