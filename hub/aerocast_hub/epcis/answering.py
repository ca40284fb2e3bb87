"""Answering queries over HTTP: their parameters in an address, and their pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.epcis.answers import Asking, EpcisError, answer, page_headers, read_token
from aerocast_hub.epcis.asking import OF_PAGES, Asked, asked_for
from aerocast_hub.epcis.asking_values import QueryParameterError
from aerocast_hub.epcis.store import Page, TooComplexError, TooManyError, find_events, fingerprint
from aerocast_hub.epcis.writing import document

PER_PAGE = 30
MOST_PER_PAGE = 1000


async def answer_query(
    request: Asking,
    database: Database,
    parameters: Mapping[str, object],
    name: str = "SimpleEventQuery",
) -> Response[Any]:
    """Answer with the events that a query asks for, a page of them.

    Raises
    ------
    EpcisError
        The query cannot be answered.
    """
    asked = asked_query(parameters)
    page_asked = page_of(request)
    told = {key: value for key, value in parameters.items() if key not in OF_PAGES}
    query = fingerprint({"name": name, **told})
    after = read_token(page_asked.token, query)
    async with database.reading() as session:
        page = await _find(session, asked, page_asked.size, after)
    headers = page_headers(request, page.after, query)
    return answer(document(page.events, name), 200, headers)


async def _find(session: AsyncSession, asked: Asked, size: int, after: str | None) -> Page:
    try:
        return await find_events(session, asked, size, after)
    except TooManyError as error:
        raise EpcisError(413, "QueryTooLargeException", str(error)) from None
    except TooComplexError as error:
        raise EpcisError(413, "QueryTooComplexException", str(error)) from None
    except ValueError as error:
        raise EpcisError(400, "QueryParameterException", str(error)) from None


def asked_query(parameters: Mapping[str, object]) -> Asked:
    """Read a query's parameters.

    Raises
    ------
    EpcisError
        It is none.
    """
    try:
        return asked_for(parameters)
    except QueryParameterError as error:
        raise EpcisError(400, "QueryParameterException", str(error)) from None


def parameters_of(request: Asking) -> dict[str, object]:
    """Give the query's parameters of an address; one given twice has both values."""
    found: dict[str, object] = {}
    for name, value in request.query_params.multi_items():
        known = found.get(name)
        found[name] = value if known is None else f"{known},{value}"
    return found


@dataclass(frozen=True)
class PageAsked:
    """A page as asked for."""

    size: int
    token: str | None


def page_of(request: Asking) -> PageAsked:
    """Read which page is asked for.

    Raises
    ------
    EpcisError
        ``perPage`` is no such number.
    """
    text = request.query_params.get("perPage", str(PER_PAGE))
    if not text.isdecimal() or not 1 <= int(text[:6]) <= MOST_PER_PAGE:
        raise EpcisError(400, "QueryParameterException", f"perPage: 1 to {MOST_PER_PAGE}")
    return PageAsked(int(text[:6]), request.query_params.get("nextPageToken"))


def token_number(text: str) -> int:
    """Read a number that stands in a page's token.

    Raises
    ------
    EpcisError
        It is none.
    """
    if not text.isdecimal() or len(text) > 18:
        raise EpcisError(400, "QueryParameterException", "nextPageToken is of no page")
    return int(text)


def encoded(value: str) -> str:
    """Write a value as part of a page's token."""
    return value.encode().hex()


def decoded(token: str) -> str:
    """Read what `encoded` wrote.

    Raises
    ------
    EpcisError
        It did not.
    """
    try:
        return bytes.fromhex(token).decode().replace("\x00", "?")
    except ValueError:
        raise EpcisError(400, "QueryParameterException", "nextPageToken is of no page") from None
