"""Requests nobody would send who means well: each is refused in our own words, and none breaks."""

import base64
import json
import logging
import shutil

import pytest
import pytest_asyncio
from aerocast_agent.enrolment import keys
from aerocast_hub.auth.permissions import EVERYTHING
from aerocast_hub.web.bounds import is_host
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import AsyncTestClient

from tests.hub.doors import token_for, whole_hub

DEEP = "[" * 60_000
JSON = {"content-type": "application/json"}
# What says which kind of key it is, and which curve; and the same of kinds nobody knows.
EC_KEY, OTHER_KEY = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d027f")
P256, OTHER_CURVE = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d03017f")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(migrated_sqlite, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    file = shutil.copyfile(migrated_sqlite, folder / "hub.db")
    async with AsyncTestClient(whole_hub(file, folder), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def admin(hub):
    return {"authorization": f"Bearer {token_for(hub.app, {EVERYTHING})}"}


@pytest.mark.parametrize("path", ["/auth/login", "/api/bags/search", "/epcis/v2/queries"])
async def test_json_nested_without_end_does_not_fit(hub, admin, path, caplog):
    answer = await hub.post(path, content=DEEP, headers=admin | JSON)
    assert (answer.status_code, answer.json()["detail"]) == (400, "JSON is nested too deeply")
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "host",
    ["hub:99999", "[::1", "::1", "a b", "a/b", "user@hub", "hub:", "hub:x", "[hub]", "x" * 300],
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_a_host_that_can_be_none_is_refused(hub, host, accept):
    answer = await hub.get("/account", headers={"host": host, "accept": accept})
    assert answer.status_code == 400, answer.text


async def test_two_hosts_are_none(hub):
    headers = [("host", "testserver.local"), ("host", "evil.example")]
    assert (await hub.get("/login", headers=headers)).status_code == 400


@given(st.binary(max_size=40))
def test_any_bytes_are_a_host_or_not(said):
    assert not is_host(said) or said.isascii()


@pytest.mark.parametrize(
    "host", [b"hub", b"hub.lfbo.example:8443", b"192.0.2.1:80", b"[2001:db8::1]:8"]
)
def test_names_and_addresses_are_hosts(host):
    assert is_host(host)


@pytest.mark.parametrize(
    "origin", ["http://[", "null", "", "http://", "https://[::1", "testserver"]
)
async def test_an_origin_that_can_be_none_is_another_sites(hub, origin):
    asked = {"name": "x", "password": "y"}
    answer = await hub.post("/auth/login", json=asked, headers={"origin": origin})
    assert (answer.status_code, "other sites' pages" in answer.text) == (403, True)


@pytest.mark.parametrize("name", ["%00", "a" * 300, "a/" * 3000])
async def test_what_no_file_is_called_is_no_file(hub, name):
    assert (await hub.get(f"/static/{name}")).status_code == 404


def with_another(pem, was, becomes):
    """Change one kind into another in what PEM holds."""
    first, *lines, last = pem.strip().splitlines()
    der = base64.b64decode("".join(lines))
    assert was in der
    body = base64.encodebytes(der.replace(was, becomes, 1)).decode()
    return f"{first}\n{body}{last}\n"


@pytest.mark.parametrize(("was", "becomes"), [(EC_KEY, OTHER_KEY), (P256, OTHER_CURVE)])
async def test_keys_of_kinds_nobody_knows_are_refused(hub, was, becomes):
    request = keys.request_for(keys.make_key(), None)
    odd = with_another(request, was, becomes)
    enrolled = await hub.post("/api/enrolment", json={"token": "a" * 32, "request": odd})
    assert (enrolled.status_code, "no certificate request" in enrolled.text) == (400, True)

    authority = (await hub.get("/api/enrolment/authority")).text
    pem = x509.load_pem_x509_certificate(authority.encode()).public_bytes(Encoding.PEM).decode()
    odd = with_another(pem, was, becomes)
    asked = {"certificate": odd, "request": request, "signature": "AA=="}
    renewed = await hub.post("/api/enrolment/renewal", json=asked)
    assert (renewed.status_code, "not of this hub" in renewed.text) == (403, True)

    word = {"certificate": odd, "kind": "captures", "name": "x", "size": 1, "sha256": "0" * 64}
    headers = {
        "x-aerocast-file": base64.b64encode(json.dumps(word).encode()).decode(),
        "x-aerocast-signature": "AA==",
    }
    assert (await hub.post("/api/gateway-files", content=b"x", headers=headers)).status_code == 403
