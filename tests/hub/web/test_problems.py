"""RFC 9457: ``title`` is the kind of problem, ``detail`` this occurrence of it."""

import logging
from typing import Annotated, Literal

import msgspec
import pytest
from aerocast_hub.web import problems
from aerocast_hub.web.headers import SECURITY_HEADERS, add_security_headers
from aerocast_hub.web.problems import ERROR_HANDLERS
from litestar import Litestar, get, post
from litestar.exceptions import (
    HTTPException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
    TooManyRequestsException,
)
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.testing import AsyncTestClient
from sqlalchemy.exc import DBAPIError


class Bag(msgspec.Struct):
    weight_kg: Annotated[int, msgspec.Meta(ge=0)]


class DeadlockError(Exception):
    """As PostgreSQL's driver tells of one."""

    sqlstate = "40P01"


RAISED = {
    "writers": DBAPIError("UPDATE bags SET name = 'hunter2'", {}, DeadlockError("hunter2")),
    "bag": NotFoundException("bag 0220123456 has not been seen"),
    "nothing": NotFoundException(),
    "token": NotAuthorizedException("log in first"),
    "right": PermissionDeniedException("permission users:write is needed"),
    "tries": TooManyRequestsException("too many tries: wait 30 s", headers={"Retry-After": "30"}),
    "bug": ZeroDivisionError("the password is hunter2"),
    "inside": HTTPException("the database said hunter2", status_code=503),
}


@get("/raise/{what:str}")
async def fail(what: FromPath[str]) -> None:
    raise RAISED[what]


@post("/bags")
async def add_bag(data: JSONBody[Bag]) -> None: ...


Colour = Literal["red", "green"]


class Paint(msgspec.Struct):
    colour: Colour


@get("/paints")
async def paints(colour: FromQuery[Colour | None] = None) -> None: ...


@post("/paints")
async def add_paint(data: JSONBody[Paint]) -> None: ...


APP = Litestar(
    [fail, add_bag, paints, add_paint],
    exception_handlers=ERROR_HANDLERS,
    before_send=[add_security_headers],
    openapi_config=None,
)


def of_problems(caplog):
    """Give what was logged of requests, and nothing that another test's threads still say."""
    return [each for each in caplog.records if each.name == problems.__name__]


async def test_a_word_nobody_knows_is_told_with_the_words_there_are():
    by_query = await ask("GET", "/paints?colour=blue")
    by_body = await ask("POST", "/paints", json={"colour": "blue"})
    for answer in (by_query, by_body):
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["field"] == "colour"
        assert error["message"] == "Invalid enum value 'blue': expected red, green"


async def ask(method, path, **request):
    async with AsyncTestClient(APP, raise_server_exceptions=False) as client:
        return await client.request(method, path, **request)


@pytest.mark.parametrize(
    ("what", "status", "title", "detail"),
    [
        ("bag", 404, "Not Found", "bag 0220123456 has not been seen"),
        ("token", 401, "Unauthorized", "log in first"),
        ("right", 403, "Forbidden", "permission users:write is needed"),
        ("tries", 429, "Too Many Requests", "too many tries: wait 30 s"),
    ],
)
async def test_title_is_the_kind_of_problem_and_detail_what_happened(what, status, title, detail):
    answer = await ask("GET", f"/raise/{what}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"status": status, "title": title, "detail": detail}


async def test_detail_is_left_out_when_there_is_nothing_to_add():
    assert (await ask("GET", "/raise/nothing")).json() == {"status": 404, "title": "Not Found"}
    assert (await ask("GET", "/nowhere")).json() == {"status": 404, "title": "Not Found"}


async def test_a_wrong_method_says_which_are_right():
    answer = await ask("DELETE", "/bags")
    assert answer.status_code == 405
    assert answer.json()["title"] == "Method Not Allowed"
    assert "POST" in answer.headers["allow"]


async def test_what_does_not_fit_is_named_field_by_field():
    answer = await ask("POST", "/bags", json={"weight_kg": -1})
    assert answer.status_code == 400
    assert answer.json() == {
        "status": 400,
        "title": "Bad Request",
        "detail": "the request does not fit: see errors",
        "errors": [{"field": "weight_kg", "message": "Expected `int` >= 0"}],
    }


async def test_who_has_to_log_in_is_told_how_and_who_has_to_wait_how_long():
    assert (await ask("GET", "/raise/token")).headers["www-authenticate"] == "Bearer"
    assert (await ask("GET", "/raise/tries")).headers["retry-after"] == "30"


@pytest.mark.parametrize(("what", "status"), [("bug", 500), ("inside", 503)])
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
async def test_what_went_wrong_inside_is_logged_under_a_reference_and_not_shown(
    what, status, accept, caplog
):
    with caplog.at_level(logging.ERROR):
        answer = await ask("GET", f"/raise/{what}", headers={"accept": accept})
    assert answer.status_code == status
    assert "hunter2" not in answer.text
    (told,) = of_problems(caplog)
    assert told.args[0] in answer.text
    assert told.exc_info is not None


async def test_who_meets_another_writer_is_asked_to_come_again(caplog):
    caplog.set_level(logging.WARNING)
    answer = await ask("GET", "/raise/writers")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["detail"].startswith("somebody else wrote of the same at this moment: ")
    assert "40P01: " in caplog.text
    assert "hunter2" not in caplog.text
    assert [each.levelname for each in of_problems(caplog)] == ["WARNING"]


async def test_a_body_that_is_cut_off_is_no_fault_of_the_hubs(caplog):
    coming = iter(
        [
            {"type": "http.request", "body": b'{"weight', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    answered = []

    async def receive():
        return next(coming)

    async def send(message):
        answered.append(message)

    async with AsyncTestClient(APP) as client:
        await client.app(
            {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "POST",
                "scheme": "http",
                "path": "/bags",
                "raw_path": b"/bags",
                "query_string": b"",
                "root_path": "",
                "headers": [(b"content-length", b"20")],
                "client": ("127.0.0.1", 1),
                "server": ("hub", 80),
            },
            receive,
            send,
        )
    assert answered[0]["status"] == 400
    assert b"ended before its body did" in answered[1]["body"]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_browser_gets_a_page():
    answer = await ask("GET", "/nowhere", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert '<html lang="en" dir="ltr">' in answer.text
    assert "There is nothing here" in answer.text


async def test_a_browser_that_must_log_in_is_taken_to_the_form_and_back():
    answer = await ask(
        "GET", "/raise/token?day=2", headers={"accept": "text/html"}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/raise/token%3Fday%3D2"


@pytest.mark.parametrize("path", ["/raise/bug", "/nowhere"])
async def test_errors_carry_the_security_headers(path):
    answer = await ask("GET", path)
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert answer.headers["cache-control"] == "no-store"


def test_the_policy_allows_no_inline_script_and_no_framing():
    policy = SECURITY_HEADERS["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
