"""Clients that say too much, too slowly or too often, against a hub that is really served."""

import base64
import os
import socket
import struct
import time
from contextlib import ExitStack, closing, suppress

import httpx
import pytest
from aerocast_hub.auth.permissions import EVERYTHING
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.epcis.answers import CAPTURE_FILE_SIZE_LIMIT
from aerocast_hub.ingest.controller import LARGEST_BODY as LARGEST_INGEST
from aerocast_hub.web.bounds import LARGEST_BODY, LONGEST_SAID, TOO_LONG

from tests.hub.browser.conftest import HOST, Hub

PATIENCE_S = 1
CONNECTIONS = 64
AT_ONCE = CONNECTIONS // 4
LONG_S = 60
NOBODYS_ID = "00000000-0000-0000-0000-000000000001"
HALF_A_HEADER = b"GET /health HTTP/1.1\r\nHost: hub\r\nAccept: "
HALF_A_BODY = (
    b"POST /auth/login HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
    b'Content-Length: 6000\r\n\r\n{"name": '
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    started = Hub(tmp_path_factory.mktemp("hub"))
    started.environment["AEROCAST_HUB_HTTP_CONNECTIONS"] = str(CONNECTIONS)
    started.environment["AEROCAST_HUB_HTTP_PATIENCE_S"] = str(PATIENCE_S)
    started.start()
    yield started
    if started.process.poll() is None:
        started.stop()


@pytest.fixture(scope="module")
def bearer(hub):
    signer = TokenKeys(hub.folder / "data", is_signing=True).signer
    token = signer.issue(NOBODYS_ID, "anna", frozenset({EVERYTHING}), int(time.time()))
    return f"Bearer {token}"


def say(hub, words):
    spoken = socket.create_connection((HOST, hub.port), timeout=LONG_S)
    spoken.sendall(words)
    return spoken


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


def read_all(spoken):
    """Read until the hub closes; a connection that is cut has ended too."""
    said = b""
    try:
        while part := spoken.recv(65_536):
            said += part
    except ConnectionResetError:
        pass
    return said


@pytest.mark.parametrize("words", [b"", b"GET", HALF_A_HEADER], ids=["nothing", "a word", "half"])
def test_who_never_finishes_a_request_is_let_go(hub, words):
    with closing(say(hub, words)) as spoken:
        assert read_all(spoken) == b""


def test_a_connection_nobody_uses_any_more_is_closed(hub):
    with closing(say(hub, b"GET /health HTTP/1.1\r\nHost: hub\r\n\r\n")) as spoken:
        assert status_of(read_all(spoken)) == 200


def test_a_body_that_does_not_come_is_waited_for_no_longer(hub):
    with closing(say(hub, HALF_A_BODY)) as spoken:
        answer = read_all(spoken)
    assert status_of(answer) == 408
    assert b"the body did not come in time" in answer


def test_a_body_that_drips_is_not_waited_for_either(hub):
    spoken = say(hub, HALF_A_BODY)
    spoken.settimeout(0.2)
    answer = b""
    with closing(spoken):
        for _ in range(LONG_S * 5):
            try:
                spoken.sendall(b" ")
                answer += spoken.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                break
            break
    assert status_of(answer) == 408


def test_more_held_connections_than_there_may_be_shut_nobody_out_for_good(hub):
    with ExitStack() as held:
        for _ in range(3 * CONNECTIONS):
            held.enter_context(closing(say(hub, HALF_A_HEADER)))
        assert httpx.get(f"{hub.base}/health", timeout=LONG_S).is_success


def test_one_client_holds_no_more_than_its_share_of_streams(hub, bearer):
    ask = f"GET /live HTTP/1.1\r\nHost: hub\r\nAuthorization: {bearer}\r\n\r\n".encode()
    with ExitStack() as held:
        for _ in range(AT_ONCE):
            stream = held.enter_context(closing(say(hub, ask)))
            assert status_of(stream.recv(65_536)) == 200
        headers = {"Authorization": bearer}
        refused = httpx.get(f"{hub.base}/api/alerts", headers=headers, timeout=LONG_S)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["content-type"] == "application/problem+json"
    until_s = time.monotonic() + LONG_S
    while httpx.get(f"{hub.base}/health", timeout=LONG_S).status_code != 200:
        assert time.monotonic() < until_s, "places are not given back"


@pytest.mark.parametrize(
    "headers",
    [
        b"Accept: " + b"a" * 131_072 + b"\r\n",
        b"".join(b"A%d: a\r\n" % number for number in range(200)),
    ],
    ids=["long", "many"],
)
def test_too_large_headers_are_refused(hub, headers):
    with closing(say(hub, b"GET /health HTTP/1.1\r\nHost: hub\r\n")) as spoken:
        with suppress(OSError):  # it is refused before all is said
            spoken.sendall(headers + b"\r\n")
        assert status_of(read_all(spoken)) == 431


@pytest.mark.parametrize(
    ("path", "kind", "largest"),
    [
        ("/auth/login", "application/json", LARGEST_BODY),
        ("/api/bags/search", "application/json", LARGEST_BODY),
        ("/login", "application/x-www-form-urlencoded", LARGEST_BODY),
        ("/login", "multipart/form-data; boundary=x", LARGEST_BODY),
        ("/api/ingest/lfbo", "application/json", LARGEST_INGEST),
        ("/epcis/v2/capture", "application/json", CAPTURE_FILE_SIZE_LIMIT),
    ],
)
@pytest.mark.parametrize("is_told", [True, False], ids=["told", "chunked"])
def test_too_large_bodies_are_refused_by_each_routes_own_measure(
    hub, bearer, path, kind, largest, is_told
):
    def asked(size):
        part = b" " * 65_536
        chunks = [part] * (size // len(part)) + [b" " * (size % len(part))]
        return httpx.post(
            f"{hub.base}{path}",
            content=b"".join(chunks) if is_told else iter(chunks),
            headers={"Content-Type": kind, "Authorization": bearer},
            timeout=LONG_S,
        ).status_code

    assert asked(largest) != 413
    try:
        assert asked(largest + 1) == 413
    except httpx.WriteError:
        assert is_told  # refused by its length alone, before all was sent


def test_a_long_word_on_a_socket_ends_it(hub, bearer):
    key = base64.b64encode(os.urandom(16)).decode()
    opening = (
        f"GET /live/ws HTTP/1.1\r\nHost: hub\r\nAuthorization: {bearer}\r\nConnection: Upgrade\r\n"
        f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    with closing(say(hub, opening.encode())) as spoken:
        assert status_of(spoken.recv(65_536)) == 101
        word = bytes(LONGEST_SAID + 1)
        # RFC 6455 §5.2: text, whole; masked with nothing, which leaves it as it is.
        spoken.sendall(struct.pack(">BBHI", 0x81, 0x80 | 126, len(word), 0) + word)
        said = read_all(spoken)
    assert struct.pack(">H", TOO_LONG) in said


def test_a_client_in_the_middle_of_a_long_body_does_not_keep_a_hub_from_stopping(hub, bearer):
    said = (
        f"POST /epcis/v2/capture HTTP/1.1\r\nHost: hub\r\nAuthorization: {bearer}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {CAPTURE_FILE_SIZE_LIMIT}\r\n\r\n"
    ).encode() + b" " * 400_000  # which gives it 40 s more
    with closing(say(hub, said)):
        assert httpx.get(f"{hub.base}/health", timeout=LONG_S).is_success
        hub.stop()
    assert hub.process.returncode == 0
    logged = (hub.folder / "hub.log").read_text()
    assert "are cut" in logged
    failures = [line for line in logged.splitlines() if '"log.level": "error"' in line]
    assert failures == []


def test_clients_that_left_while_they_logged_in_leave_no_error_when_a_hub_stops(hub):
    if hub.process.poll() is not None:
        hub.start()
    log = hub.folder / "hub.log"
    said_before = len(log.read_text())
    for number in range(8):  # one password takes a tenth of a second, two are checked at once
        login = f'{{"name": "nobody-{number}", "password": "no such password"}}'
        head = "POST /auth/login HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
        say(hub, f"{head}Content-Length: {len(login)}\r\n\r\n{login}".encode()).close()
    assert httpx.get(f"{hub.base}/health", timeout=LONG_S).is_success
    hub.stop()
    assert hub.process.returncode == 0
    failures = [line for line in log.read_text()[said_before:].splitlines() if '"error"' in line]
    assert failures == []
