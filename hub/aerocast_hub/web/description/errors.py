"""Which errors an operation answers with, and how the API's description says so.

Most follow from what an operation is: who is guarded refuses who may not, who takes a body bounds
it, whose address has a name in it may find nothing of that name. What an operation refuses beyond
that its handler, or its controller, says itself: ``opt={"errors": {409: "there is one already"}}``.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from aerocast_hub.web.problems import PROBLEM_JSON, Problem

UNSAFE = frozenset({"post", "put", "patch", "delete"})
SHARED = {
    400: "What was sent does not fit: `errors` names each field, or `detail` says what is wrong.",
    401: "No good token or key came.",
    403: "The token or key does not allow this, or another site's page asked.",
    404: "Nothing of this name is known, or to be seen by who asks.",
    408: "The body did not come in time.",
    413: "The body is larger than this operation takes.",
    429: "More is asked than one client may: `Retry-After` says when to come back.",
    500: "The fault is the hub's: `reference` names the entry in its log.",
    503: "Another service, or the database, is busy or away: `Retry-After` says when to come back.",
}
FROM_ELSEWHERE = "Another site's page asked."
_SECONDS = {"schema": {"type": "integer", "minimum": 0}, "required": True}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}},
    429: {"Retry-After": _SECONDS | {"description": "Seconds to wait"}},
    503: {"Retry-After": _SECONDS | {"description": "Seconds to wait"}},
}


def errors_of(
    method: str,
    path: str,
    operation: Mapping[str, Any],
    *,
    is_public: bool,
    own: Mapping[int, str],
) -> dict[int, str]:
    """Give the statuses of an operation's errors, and when each is answered.

    Parameters
    ----------
    method, path, operation
        As they stand in the description.
    own
        What its handler says itself: goes before what follows from its kind.
    """
    found = {429, 500, 503}
    if not is_public:
        found |= {401, 403}
    if "requestBody" in operation:
        found |= {400, 408, 413}
    if operation.get("parameters"):
        found.add(400)
    if "{" in path:
        found.add(404)
    texts = {status: SHARED[status] for status in found}
    if is_public and method in UNSAFE:
        texts[403] = FROM_ELSEWHERE
    return dict(sorted((texts | dict(own)).items()))


def responses_of(errors: Mapping[int, str], problem: type[msgspec.Struct]) -> dict[str, Any]:
    """Write an operation's errors, those that many have as references to `shared_responses`."""
    return {
        str(status): {"$ref": f"#/components/responses/{_name(status, problem)}"}
        if SHARED.get(status) == text
        else _response(status, text, problem)
        for status, text in errors.items()
    }


def shared_responses(problems: Iterator[type[msgspec.Struct]]) -> dict[str, Any]:
    """Write the errors that many operations have, once for each form they are told in."""
    return {
        _name(status, problem): _response(status, text, problem)
        for problem in problems
        for status, text in SHARED.items()
    }


def problem_schemas(problems: Iterator[type[msgspec.Struct]]) -> dict[str, Any]:
    """Write the forms that errors are told in."""
    _, schemas = msgspec.json.schema_components(
        problems, ref_template="#/components/schemas/{name}"
    )
    return schemas


def _response(status: int, text: str, problem: type[msgspec.Struct]) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{problem.__name__}"}
    written: dict[str, Any] = {
        "description": text,
        "content": {PROBLEM_JSON: {"schema": reference}},
    }
    if problem is Problem:
        example = {"status": status, "title": HTTPStatus(status).phrase}
        written["content"][PROBLEM_JSON]["example"] = example
    return written | ({"headers": _HEADERS[status]} if status in _HEADERS else {})


def _name(status: int, problem: type[msgspec.Struct]) -> str:
    phrase = HTTPStatus(status).phrase.title().replace(" ", "")
    return f"{problem.__name__.removesuffix(Problem.__name__)}{phrase}"
