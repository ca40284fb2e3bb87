"""The strict headers stand on every answer of every route, whoever asks and however it goes."""

import shutil

import pytest
from aerocast_hub.auth.permissions import EVERYTHING
from aerocast_hub.web.assets import STATIC
from aerocast_hub.web.headers import SECURITY_HEADERS

from tests.hub.doors import bearing, doors, first_word, token_for, whole_hub

BROWSER = (b"accept", b"text/html,*/*;q=0.8")
# What browsers and proxies may keep: nobody's data, and no secret.
KEPT = ("/static/", "/.well-known/jwks.json", "/api/boards/", "/api/enrolment/revoked")


@pytest.fixture
async def app(migrated_sqlite, tmp_path):
    """The whole hub without its background."""
    made = whole_hub(shutil.copyfile(migrated_sqlite, tmp_path / "hub.db"), tmp_path)
    yield made
    await made.state.hub.database.close()


@pytest.fixture
def admin(app):
    return bearing(token_for(app, {EVERYTHING}))


def missing(message):
    """Give the strict headers an answer has not, has otherwise or has twice."""
    told = [(name.decode().lower(), value.decode()) for name, value in message["headers"]]
    return [
        (name, [given for key, given in told if key == name])
        for name, value in SECURITY_HEADERS.items()
        if [given for key, given in told if key == name] != [value]
    ]


def header(message, name):
    return dict(message["headers"]).get(name.encode(), b"").decode()


def is_answer(message):
    return message["type"] == "http.response.start"


@pytest.mark.parametrize("asks", ["an administrator", "a browser", "nobody"])
async def test_every_route_answers_with_them(app, admin, asks):
    headers = {"an administrator": [admin], "a browser": [BROWSER], "nobody": []}[asks]
    seen, wrong = set(), []
    for method, path, opt in doors(app):
        message = await first_word(app, method, path, *headers)
        if not is_answer(message):
            continue  # a WebSocket
        seen.add(message["status"])
        wrong += [(method, path, each) for each in missing(message)]
        kept = header(message, "cache-control")
        if not path.startswith(KEPT) and not {"no-store"} & set(kept.split(", ")):
            wrong.append((method, path, kept))
        if "public" in kept.split(", "):
            assert opt.get("public") is True, path
    assert wrong == []
    assert len(seen) > 3


BESIDE = (
    ("GET", "/nowhere", 404),
    ("GET", "/static/nowhere.js", 404),
    ("GET", "/docs/nowhere", 404),
    ("GET", "/static/../hub.db", 404),
    ("DELETE", "/health", 405),
    ("TRACE", "/health", 405),
    ("PROPFIND", "/health", 405),
    ("OPTIONS", "/health", 204),
    ("GET", "/docs", 200),
    ("GET", "/docs/openapi.json", 200),
    ("GET", "/asyncapi.json", 200),
    ("POST", "/api/routes", 413),
)


async def test_so_do_errors_and_what_stands_beside_the_routes(app, admin):
    for method, path, status in BESIDE:
        long = [(b"content-length", b"99999999")] if status == 413 else []
        for accept in (BROWSER, (b"accept", b"application/json")):
            message = await first_word(app, method, path, admin, accept, *long)
            assert message["status"] == status, path
            assert missing(message) == [], path
            assert header(message, "cache-control") == "no-store", path


async def test_so_do_static_files(app):
    for file in STATIC.iterdir():
        if file.is_file():
            message = await first_word(app, "GET", f"/static/{file.name}")
            assert message["status"] == 200
            assert missing(message) == [], file


async def test_so_does_a_failure_inside(tmp_path):
    (tmp_path / "hub.db").write_bytes(b"no database at all" * 100)
    app = whole_hub(tmp_path / "hub.db", tmp_path)
    for accept in (BROWSER, (b"accept", b"application/json")):
        message = await first_word(app, "GET", "/health", accept)
        assert message["status"] == 500
        assert missing(message) == []
        assert header(message, "cache-control") == "no-store"
    await app.state.hub.database.close()


async def test_so_does_a_redirect(app):
    message = await first_word(app, "GET", "/alerts", BROWSER)
    assert message["status"] == 303
    assert header(message, "location").startswith("/login?next=")
    assert missing(message) == []


async def test_over_https_browsers_are_told_to_stay_there(app, admin):
    for method, path, _ in doors(app):
        message = await first_word(app, method, path, admin, scheme="https")
        if is_answer(message):
            told = header(message, "strict-transport-security")
            assert told == "max-age=31536000; includeSubDomains", (method, path)
    plain = await first_word(app, "GET", "/health")
    assert header(plain, "strict-transport-security") == ""


async def test_a_socket_is_refused_before_it_opens(app):
    for method, path, opt in doors(app):
        if method == "WS" and opt.get("public") is not True:
            message = await first_word(app, method, path)
            assert (message["type"], message["code"]) == ("websocket.close", 4401), path


def test_the_policy_names_our_own_files_and_nothing_else():
    told = dict(
        part.strip().split(" ", 1)
        for part in SECURITY_HEADERS["content-security-policy"].split(";")
    )
    assert told == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
