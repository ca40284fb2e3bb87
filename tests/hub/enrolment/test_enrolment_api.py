"""Enrolment over HTTP, and what brokers ask of the hub."""

import base64
import hashlib
import json
import time

import pytest
import pytest_asyncio
from aerocast_agent.enrolment import keys
from aerocast_hub.app import create_app
from aerocast_hub.enrolment import revocation
from aerocast_hub.enrolment.authorities import load_authorities
from aerocast_hub.enrolment.controller import LISTS
from aerocast_hub.enrolment.revocation import Revocations
from aerocast_hub.enrolment.store import make_claim
from aerocast_hub.gateways.registry import add_gateway, revoke_gateway
from aerocast_hub.settings import SettingsError, load_settings
from litestar.testing import AsyncTestClient
from pydantic import SecretStr

NAME = ("lfbo", "hall-1")
GATEWAY = "lfbo/hall-1"
HOOK_SECRET = "what brokers say to the hub, long enough"  # noqa: S105  of this test alone
OWN_UP = "aerocast/1/lfbo/hall-1/up/1"


@pytest.fixture(scope="module")
def engine_kind():
    """The claims' own tests run on both databases: here one will do."""
    return "sqlite"


@pytest.fixture
def settings(database_url, tmp_path):
    return settings_of(database_url, tmp_path)


def settings_of(database_url, folder):
    return load_settings(
        mode="dev",
        database_url=database_url,
        data_dir=folder / "data",
        broker_url="none:",
        gateway_broker_url="mqtts://broker.lfbo.example:8883",
        broker_hook_secret=HOOK_SECRET,
        broker_hook_networks="",
    )


@pytest.fixture
async def hub(settings):
    app = create_app(settings, ["auth", "baggage"])
    async with AsyncTestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refusing_hub(shared_database_url, tmp_path_factory):
    """One for all that is refused at its door."""
    settings = settings_of(shared_database_url, tmp_path_factory.mktemp("hub"))
    async with AsyncTestClient(create_app(settings, ["auth", "baggage"])) as client:
        yield client


@pytest.fixture
async def token(database, settings):
    async with database.writing() as session:
        await add_gateway(session, *NAME)
        claim = await make_claim(
            session, load_authorities(settings), NAME, time.time_ns() // 1000, 1.0
        )
    return claim.token


async def enrol(hub, token, key, name=None):
    question = {"token": token, "request": keys.request_for(key, name)}
    return await hub.post("/api/enrolment", json=question)


async def test_a_token_gives_a_certificate_a_broker_and_whom_to_trust(hub, token, settings):
    key = keys.make_key()
    answer = await enrol(hub, token, key, GATEWAY)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["site"], told["name"]) == NAME
    assert told["broker"] == "mqtts://broker.lfbo.example:8883"
    assert told["login"] is None
    assert keys.belongs(told["certificate"], key)
    assert told["authority"] == (await hub.get("/api/enrolment/authority")).text
    assert keys.has_pin(told["authority"], token.partition(".")[2])
    assert "BEGIN X509 CRL" in (await hub.get("/api/enrolment/revoked")).text


async def test_the_list_of_the_revoked_is_signed_once_until_it_changes(
    hub, token, database, monkeypatch
):
    path = "/api/enrolment/revoked"
    assert (await enrol(hub, token, keys.make_key())).status_code == 201
    first, again = await hub.get(path), await hub.get(path)
    assert first.content == again.content
    mark = {"if-none-match": first.headers["etag"]}
    same = await hub.get(path, headers=mark)
    assert (same.status_code, same.content) == (304, b"")
    monkeypatch.setattr(revocation, "LOOK_EVERY_S", 0.0)
    looking = Revocations(database, hub.app.state.hub.settings)
    before = await looking.signed()
    assert await looking.signed() == before
    async with database.writing() as session:
        await revoke_gateway(session, *NAME)
    after = await looking.signed()
    assert (after.mark == before.mark, after.pem == before.pem) == (False, False)
    monkeypatch.setattr(revocation, "SIGNED_FOR_S", -1.0)
    assert (await looking.signed()).mark != after.mark


async def test_who_asks_for_the_list_without_end_is_held_back(hub):
    mark = {"if-none-match": (await hub.get("/api/enrolment/revoked")).headers["etag"]}
    statuses = [
        (await hub.get("/api/enrolment/revoked", headers=mark)).status_code
        for _ in range(LISTS.together)
    ]
    assert (set(statuses[:-1]), statuses[-1]) == ({304}, 429)


async def test_wrong_used_and_ended_tokens_are_answered_alike(hub, token, database):
    key = keys.make_key()
    assert (await enrol(hub, token, key)).status_code == 201
    used = await enrol(hub, token, keys.make_key())
    wrong = await enrol(hub, "0" * 32, keys.make_key())
    assert used.status_code == wrong.status_code == 403
    assert used.content == wrong.content
    async with database.writing() as session:
        await revoke_gateway(session, *NAME)
    assert (await enrol(hub, token, key)).content == wrong.content


async def test_a_token_for_another_gateway_is_told_and_stays_good(hub, token):
    mixed_up = await enrol(hub, token, keys.make_key(), "lfbo/hall-2")
    assert mixed_up.status_code == 400
    assert "lfbo/hall-1" in mixed_up.text
    assert (await enrol(hub, token, keys.make_key(), GATEWAY)).status_code == 201


async def test_a_certificate_somebody_made_up_renews_nothing(hub, token):
    key = keys.make_key()
    present = (await enrol(hub, token, key)).json()["certificate"]

    async def renew(certificate, signing_key):
        request = keys.request_for(keys.make_key(), None)
        return await hub.post(
            "/api/enrolment/renewal",
            json={
                "certificate": certificate,
                "request": request,
                "signature": keys.sign_renewal(signing_key, request),
            },
        )

    assert (await renew(present, key)).status_code == 201
    stranger = keys.make_key()
    assert (await renew(present, stranger)).status_code == 403
    forged = certificate_like(present, stranger)
    answer = await renew(forged, stranger)
    assert (answer.status_code, "not of this hub" in answer.text) == (403, True)
    assert (await renew("nonsense", key)).status_code == 400


def certificate_like(pem, key_pem):
    """Give a certificate with the same name and serial number for another key, signed by it."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        load_pem_private_key,
    )

    told, key = (
        x509.load_pem_x509_certificate(pem.encode()),
        load_pem_private_key(key_pem.encode(), None),
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(told.subject)
        .issuer_name(told.issuer)
        .public_key(key.public_key())
        .serial_number(told.serial_number)
        .not_valid_before(told.not_valid_before_utc)
        .not_valid_after(told.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


async def test_too_many_tries_from_one_place_wait(hub):
    answers = [
        (await hub.post("/api/enrolment", json={"token": "0" * 32, "request": "x"})).status_code
        for _ in range(61)
    ]
    assert answers[:60] == [400] * 60
    assert answers[60] == 429


async def ask(hub, path, question, **headers):
    answer = await hub.post(
        path, json=question, headers={"Authorization": f"Bearer {HOOK_SECRET}", **headers}
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["Ok"] is (told["result"] == "allow")
    assert told["is_superuser"] is False
    return told["Ok"]


async def form(hub, path, question):
    answer = await hub.post(path, data=question, headers={"Authorization": f"Bearer {HOOK_SECRET}"})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_brokers_hear_at_once_who_is_let_in_and_who_is_revoked(hub, token, database):
    known = {"username": GATEWAY, "cert_common_name": GATEWAY}
    assert not await ask(hub, "/mqtt/auth", known)  # not enrolled yet
    await enrol(hub, token, keys.make_key())
    assert await ask(hub, "/mqtt/auth", known)
    assert not await ask(hub, "/mqtt/auth", {"username": GATEWAY})
    assert not await ask(hub, "/mqtt/auth", known | {"username": "lfbo/hall-2"})
    assert not await ask(hub, "/mqtt/auth", {"username": GATEWAY, "password": ""})
    assert await form(hub, "/mqtt/auth", {"username": GATEWAY, "vhost": "/"}) == "allow"
    assert await form(hub, "/mqtt/auth", {"username": GATEWAY, "password": ""}) == "deny"
    assert await form(hub, "/mqtt/auth", {"username": "guest", "vhost": "/"}) == "deny"
    publish = {"username": GATEWAY, "topic": OWN_UP, "action": "publish"}
    assert await ask(hub, "/mqtt/acl", publish)
    assert await ask(hub, "/mqtt/acl", {"username": GATEWAY, "topic": OWN_UP, "acc": 2})
    assert not await ask(hub, "/mqtt/acl", publish | {"action": "subscribe"})
    assert not await ask(hub, "/mqtt/acl", publish | {"username": "lfbo/hall-2"})
    async with database.writing() as session:
        await revoke_gateway(session, *NAME)
    assert not await ask(hub, "/mqtt/auth", known)
    assert not await ask(hub, "/mqtt/acl", publish)
    assert await form(hub, "/mqtt/auth", {"username": GATEWAY, "vhost": "/"}) == "deny"


async def test_only_brokers_may_ask(refusing_hub):
    question = {"username": GATEWAY}
    assert (await refusing_hub.post("/mqtt/auth", data=question)).status_code == 403
    wrong = {"Authorization": "Bearer " + "x" * 32}
    assert (await refusing_hub.post("/mqtt/auth", data=question, headers=wrong)).status_code == 403


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"[" * 4000, "application/json"),
        (b"x" * 4097, "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % number for number in range(33)), "application/x-www-form-urlencoded"),
    ],
)
async def test_a_question_that_is_none_is_refused(refusing_hub, body, kind):
    headers = {"Authorization": f"Bearer {HOOK_SECRET}", "content-type": kind}
    answer = await refusing_hub.post("/mqtt/acl", content=body, headers=headers)
    assert answer.status_code == 400, answer.text


async def test_brokers_of_trusted_networks_need_no_secret_unless_a_proxy_stands_between(
    settings, token
):
    trusting = settings.model_copy(update={"broker_hook_networks": "127.0.0.0/8"})
    app = create_app(trusting, ["auth", "baggage"])
    async with (
        AsyncTestClient(app, client=("127.0.0.1", 1)) if False else AsyncTestClient(app) as hub
    ):
        question = {"username": GATEWAY, "vhost": "/"}
        direct = await hub.post("/mqtt/auth", data=question)
        proxied = await hub.post(
            "/mqtt/auth", data=question, headers={"X-Forwarded-For": "192.0.2.1"}
        )
        assert proxied.status_code == 403
        assert direct.status_code in {200, 403}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"http_certificate": "x.pem"}, "http_certificate and http_key go together"),
        ({"broker_key": "x.key"}, "broker_certificate is missing"),
        ({"gateway_broker_url": "http://x"}, "gateway_broker_url is mqtt://host:port"),
        ({"gateway_broker_url": "mqtts://a:b@x"}, "without user and password"),
        ({"broker_hook_secret": "short"}, "broker_hook_secret: shorter"),
        ({"broker_hook_networks": "10.0.0.1/8"}, "host bits"),
        ({"certificate_days": 0}, "certificate_days"),
    ],
)
def test_settings_that_cannot_be_are_named(given, told):
    with pytest.raises(SettingsError, match=told):
        load_settings(mode="dev", **given)
    assert json.dumps(given)


async def test_a_file_waits_with_its_gateway_while_the_store_is_away(token, settings, caplog):
    key = keys.make_key()
    away = settings.model_copy(
        update={
            "objects_url": "s3://airport", "s3_endpoint": "http://127.0.0.1:9",
            "s3_access_key": SecretStr("hub"), "s3_secret_key": SecretStr("of-this-test"),
        }
    )  # fmt: skip
    app = create_app(away, ["auth", "baggage"])
    async with AsyncTestClient(app, raise_server_exceptions=False) as hub:
        certificate = (await enrol(hub, token, key)).json()["certificate"]
        digest = hashlib.sha256(b"seen").hexdigest()
        told = {"certificate": certificate, "kind": "captures", "name": "x.iq", "size": 4}
        said = json.dumps(told | {"sha256": digest}).encode()
        headers = {
            "X-Aerocast-File": base64.b64encode(said).decode(),
            "X-Aerocast-Signature": keys.sign_file(key, said),
        }
        answer = await hub.post("/api/gateway-files", content=b"seen", headers=headers)
    assert answer.status_code == 503
    assert "s3://airport at http://127.0.0.1:9: it does not answer: see that it runs" in caplog.text
