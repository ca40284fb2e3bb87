"""The short way in answers, stores and counts as the long way does."""

import asyncio
import json
import re
import shutil
import time
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

import pytest
from aerocast_hub.app import Application, create_app
from aerocast_hub.auth.sessions.tables import SessionRow
from aerocast_hub.auth.tables import UserRow
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.auth.tokens import ACCESS_TOKEN_S, TokenSigner
from aerocast_hub.gateways.observations import list_stored
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.ingest.door import ROUTE
from aerocast_hub.settings import SERVICES, load_settings
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WHERE = "/api/ingest/lfbo"
SEEN_US = 1_781_438_400_000_000
SOMEBODY = "00000000-0000-0000-0000-000000000001"
ENDED = "00000000-0000-0000-0000-000000000002"
CHANGED = "00000000-0000-0000-0000-000000000003"
MAY = frozenset({"ingest:write"})
COUNTED = ("aerocast_hub_http_request_seconds_count", "aerocast_hub_inbox_observations_total")


PATHS = [WHERE] * 4 + [f"{WHERE}/", "/api/ingest/LFBO", "/api/ingest/lfpg", "/api/ingest"]
TOKENS = (
    *("of everything", "of a session", "past its time", "forged", "of no key", "cut"),
    *("of another permission", "bound to an airline", "bound to an airport", "empty"),
    *("of an ended session", "of roles it had", "of no gateway's name", "of an unknown gateway"),
)
PASSAGE = {
    "kind": "bag_passage",
    "device": "line-2",
    "seen_at_us": SEEN_US,
    "belt": "line-2",
    "point": "sortation",
    "licence_plate": "0057123456",
}


class Long(bytes):
    """A body nobody wants to read."""

    def __repr__(self):
        return f"<{len(self)} bytes>"


class Sent(NamedTuple):
    """A request as a server hands it on: its body in parts, then that its client left."""

    method: str
    path: str
    headers: list[tuple[bytes, bytes]]
    parts: list[bytes]
    is_whole: bool = True


class Hubs(NamedTuple):
    """Two hubs, and tokens for both by what is the matter with them."""

    short: Application
    long: Application
    tokens: dict[str, str]


@pytest.fixture
async def hubs(tmp_path, migrated_sqlite):
    signer = TokenKeys(tmp_path, is_signing=True).signer
    async with (
        hub_at(tmp_path, migrated_sqlite, 1) as short,
        hub_at(tmp_path, migrated_sqlite, 2) as long,
    ):
        yield Hubs(short, long, tokens_by(signer))


@asynccontextmanager
async def hub_at(folder, migrated, number):
    file = folder / f"{number}.db"
    shutil.copyfile(migrated, file)
    app = create_app(
        load_settings(
            mode="dev",
            data_dir=folder,
            database_url=f"sqlite+aiosqlite:///{file}",
            broker_url="none:",
            trusted_proxies="127.0.0.0/8",
        ),
        SERVICES,
    )
    is_up, may_end = asyncio.Event(), asyncio.Event()
    living = asyncio.create_task(live(app, is_up, may_end))
    await asyncio.wait({living, asyncio.create_task(is_up.wait())}, return_when="FIRST_COMPLETED")
    try:
        async with app.state.hub.database.writing() as session:
            await add_gateway(session, "lfbo", "sorter")
            await call_back(session)
        await app.dependencies["standing"].dependency().look()
        yield app
    finally:
        may_end.set()
        await living


async def live(app, is_up, may_end):
    """Keep a hub up in a task of its own: fixtures begin and end in different ones."""
    async with app.lifespan():
        is_up.set()
        await may_end.wait()


async def call_back(session):
    """End a session, and give an account other roles."""
    now_us = time.time_ns() // 1000
    users = ((SOMEBODY, "sorter", 0, None), (CHANGED, "changed", 2, now_us))
    for user_id, name, version, changed_at_us in users:
        session.add(
            UserRow(
                id=UUID(user_id),
                name=name,
                created_at_us=1,
                failed_tries=0,
                version=version,
                changed_at_us=changed_at_us,
            )
        )
    await session.flush()
    session.add(
        SessionRow(
            id=UUID(ENDED),
            user_id=UUID(SOMEBODY),
            way="password",
            client="",
            browser="",
            began_at_us=1,
            used_at_us=1,
            expires_at_us=now_us,
            ended_at_us=now_us,
        )
    )


async def ask(app, sent):
    """Give status, headers and body of an answer."""
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in sent.parts]
    waiting[-1]["more_body"] = not sent.is_whole

    async def receive():
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    told = []

    async def send(message):
        told.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": sent.method,
        "path": sent.path,
        "raw_path": sent.path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": sent.headers,
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send)
    body = b"".join(each["body"] for each in told[1:])
    body = re.sub(rb'"reference":"[0-9a-f]+"', b"", body)  # by chance, to find it in the log
    headers = [(name, b", ".join(sorted(value.split(b", ")))) for name, value in told[0]["headers"]]
    return told[0]["status"], sorted(headers), body  # methods stand in no order in Allow


def with_tokens(sent, tokens):
    """Put tokens in the place of their names."""
    headers = []
    for name, value in sent.headers:
        scheme, _, named = value.decode("latin-1").partition(" <")
        token = tokens.get(named.rstrip(">"))
        headers.append((name, value if token is None else f"{scheme} {token}".encode()))
    return sent._replace(headers=headers)


def plain(body, **fields):
    headers = [
        (b"host", b"hub:8000"),
        (b"authorization", b"Bearer <good>"),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    return Sent("POST", WHERE, headers, [body])._replace(**fields)


def report_of(first, count):
    return json.dumps({"first_sequence": first, "events": [PASSAGE] * count}).encode()


def tokens_by(signer):

    now_s = int(time.time())
    forged = TokenSigner(Ed25519PrivateKey.generate())
    forged.key_id = signer.key_id

    def token(by=signer, of=SOMEBODY, name="sorter", may=MAY, at_s=now_s, **bound):
        return by.issue(of, name, may, at_s, **bound)

    return {
        "good": token(),
        "of everything": token(may=frozenset({"*"})),
        "of a session": token(session_id=SOMEBODY),
        "past its time": token(at_s=now_s - ACCESS_TOKEN_S),
        "forged": token(by=forged),
        "of no key": TokenSigner(Ed25519PrivateKey.generate()).issue(
            SOMEBODY, "sorter", MAY, now_s
        ),
        "cut": token()[:-9],
        "of another permission": token(may=frozenset({"baggage:read"})),
        "bound to an airline": token(airlines=frozenset({"AF"})),
        "bound to an airport": token(stations=frozenset({"TLS"})),
        "of an ended session": token(session_id=ENDED),
        "of roles it had": token(of=CHANGED, version=1),
        "of no gateway's name": token(name="not.a.gateway"),
        "of an unknown gateway": token(name="stranger"),
        "empty": "",
    }


events = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["bag_passage", "code_scan", "tag_read", "no_read", "evicted"]),
            "device": st.sampled_from(["d", "", "d\0"]),
            "seen_at_us": st.sampled_from([SEEN_US, 0, -1]),
        },
        optional={
            "licence_plate": st.sampled_from(
                ["0057123456", "005712345x", "0057123456\n", "\u0661" * 10]
            ),
            "epc": st.sampled_from(["E280", "e28", "e2 80", "", "xy"]),
            "belt": st.just("line-2"),
            "point": st.sampled_from(["sortation", "nowhere"]),
        },
    ),
    max_size=4,
)
passages = st.lists(
    st.sampled_from([PASSAGE, PASSAGE | {"licence_plate": "0057123457"}]), min_size=1, max_size=3
)
reports = st.fixed_dictionaries(
    {"first_sequence": st.integers(1, 30), "events": passages | events},
    optional={"epoch": st.sampled_from([0, 1, -1])},
)
bodies = st.one_of(
    reports.map(lambda report: json.dumps(report).encode()),
    reports.map(lambda report: json.dumps(report).encode()[:-5]),
    st.sampled_from([b"", b"{}", b"null", b"\xff", b'{"first_sequence":1,"events":["\\ud800"]}']),
    st.just(Long(b" " * 1_048_577)),
)
good_bodies = st.builds(
    lambda first, events: json.dumps({"first_sequence": first, "events": events}).encode(),
    st.integers(1, 30),
    passages,
)
others = st.lists(
    st.sampled_from(
        [
            (b"accept", b"text/html"),
            (b"cookie", b"aerocast_session=x"),
            (b"x-api-key", b"ak_nobody"),
            (b"transfer-encoding", b"chunked"),
            (b"authorization", b"Bearer x"),
            (b"content-type", b"text/plain"),
            (b"host", b"a b"),
            (b"sec-fetch-site", b"cross-site"),
            (b"x-forwarded-for", b"203.0.113.9"),
            (b"x-forwarded-proto", b"https"),
            (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ]
    ),
    max_size=2,
)


@st.composite
def requests(draw):
    """Give any request; one of three is a partner's as it should be."""
    if draw(st.integers(0, 2)) == 0:
        body = draw(good_bodies)
        cut = draw(st.integers(0, len(body)))
        return plain(body, parts=[body[:cut], body[cut:]])
    body = draw(good_bodies | bodies)
    scheme = draw(st.sampled_from(["Bearer", "Bearer", "Bearer", "bearer", "Basic"]))
    token = draw(st.sampled_from(["good", *TOKENS]))
    length = len(body) + draw(st.sampled_from([0, 0, 0, 1, -1, 2_000_000]))
    headers = [
        (b"host", b"hub:8000"),
        (b"authorization", f"{scheme} <{token}>".encode()),
        (b"content-type", b"application/json"),
        (b"content-length", str(length).encode()),
    ]
    left_out = draw(st.sampled_from([None, None, None, *headers]))
    return Sent(
        draw(st.sampled_from(["POST", "POST", "POST", "GET", "PUT"])),
        draw(st.sampled_from(PATHS)),
        [each for each in headers if each != left_out] + draw(others),
        [body],
        is_whole=draw(st.integers(0, 4)) > 0,
    )


def counted(app):
    lines = app.state.hub.metrics.text().decode().splitlines()
    return sorted(line for line in lines if line.startswith(COUNTED))


async def stored(app):
    async with app.state.hub.database.reading() as session:
        rows = await list_stored(session, limit=1000)
    return sorted((each.epoch, each.sequence, str(each.observation)) for each in rows)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=requests())
async def test_any_request_is_answered_stored_and_counted_as_without_the_door(hubs, sent):
    sent = with_tokens(sent, hubs.tokens)
    assert await ask(hubs.short, sent) == await ask(hubs.long.answer, sent)
    assert await stored(hubs.short) == await stored(hubs.long)
    assert counted(hubs.short) == counted(hubs.long)


async def test_what_is_wholly_good_does_not_go_the_long_way(hubs):
    async def the_long_way(*_):
        raise AssertionError

    hubs.short.door._app = the_long_way
    sent = with_tokens(plain(report_of(1, 3)), hubs.tokens)
    status, headers, body = await ask(hubs.short, sent)
    assert (status, json.loads(body)["up_to_sequence"]) == (200, 3)
    assert (b"cache-control", b"no-store") in headers
    assert f'route="{ROUTE}",status="200"}} 1.0' in "".join(counted(hubs.short))


async def test_reports_that_come_at_once_are_stored_together_and_each_once(hubs):
    every = [with_tokens(plain(report_of(1 + 3 * n, 3)), hubs.tokens) for n in range(20)]
    answers = await asyncio.gather(*(ask(hubs.short, sent) for sent in every + every))
    assert {status for status, _, _ in answers} == {200}
    assert len(await stored(hubs.short)) == 60
    transactions = hubs.short.state.hub.metrics.transaction_seconds
    (count,) = (each.value for each in transactions.collect()[0].samples if "_count" in each.name)
    assert count < 10


async def test_who_leaves_while_stored_takes_no_other_report_along(hubs):
    every = [with_tokens(plain(report_of(1 + 3 * n, 3)), hubs.tokens) for n in range(6)]
    asking = [asyncio.create_task(ask(hubs.short, sent)) for sent in every]
    while not any(each.done() for each in asking):
        asking[0].cancel()
        await asyncio.sleep(0)
    answers = await asyncio.gather(*asking[1:])
    assert {status for status, _, _ in answers} == {200}
    assert len(await stored(hubs.short)) >= 15


async def test_a_client_with_as_many_requests_as_it_may_is_refused_at_the_door_too(hubs):
    sent = with_tokens(plain(report_of(1, 1)), hubs.tokens)
    hubs.short.door._crowd.at_once = 1
    with hubs.short.door._crowd.within("127.0.0.1"):
        status, headers, _ = await ask(hubs.short, sent)
    assert (status, await stored(hubs.short)) == (429, [])
    assert (b"retry-after", b"1") in headers
    assert (await ask(hubs.short, sent))[0] == 200
