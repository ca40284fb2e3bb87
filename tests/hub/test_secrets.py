"""No secret and no passenger's name in logs, errors, metrics or pages of a hub that runs."""

import base64
import json
import time

import httpx
import pytest
from aerocast_hub.settings import SettingsError, load_settings

from tests.hub.browser.conftest import NAME, PASSWORD, Hub

KEY = "Canary9fK2xQ7vB4mZ8tR1wY6pL3sD5gH"
DATA_KEY = base64.b64encode(b"CANARY-of-the-data-key-32-bytes!").decode()
LINK_PASSWORD = "canary-link-Vq83"  # noqa: S105  of nobody
TYPED = "canary-typed-in-the-wrong-place-77"
SURNAME, REFERENCE = "Kanarienvogel", "CNRY42"
PLATE = "0220777777"
PLANTED = (KEY, DATA_KEY, LINK_PASSWORD, TYPED, PASSWORD, SURNAME, SURNAME.upper(), REFERENCE)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    started = Hub(folder)
    for name, value in (("SECRET_KEY", KEY), ("DATA_KEYS", DATA_KEY)):
        (folder / name).write_text(value + "\n")
        started.environment[f"AEROCAST_HUB_{name}_FILE"] = str(folder / name)
        started.environment.pop(f"AEROCAST_HUB_{name}", None)
    started.environment |= {
        "AEROCAST_HUB_MODE": "production",
        "AEROCAST_HUB_BAG_LINK_HOSTS": "127.0.0.1:9",
        "AEROCAST_HUB_BAG_LINK_PASSWORD": LINK_PASSWORD,
        "AEROCAST_HUB_SECURITY_LOG": str(folder / "security.jsonl"),
    }
    legs = {"flight": "AF6120", "from": "CDG", "to": "TLS", "licence_plate": PLATE}
    who = {"surname": SURNAME, "passenger": REFERENCE}
    day = {"flight_date": time.strftime("%Y-%m-%d", time.gmtime())}
    (folder / "bags.jsonl").write_text(json.dumps(legs | who | day))
    started.command("user", "add", NAME, "--role", "admin", given=f"{PASSWORD}\n")
    started.command("user", "add", "viewer", given=f"{PASSWORD}\n")
    started.command("import", "bags", str(folder / "bags.jsonl"))
    started.start()
    yield started
    started.stop()


def test_a_running_hub_tells_no_secret_and_no_name(hub):
    said = []
    with httpx.Client(base_url=hub.base, timeout=60) as client:

        def ask(method, path, **body):
            answer = client.request(method, path, **body)
            said.append(f"{answer.headers} {answer.text}")
            return answer

        ask("POST", "/auth/login", json={"name": NAME, "password": TYPED})
        ask("POST", "/auth/login", json={"name": NAME, "password": TYPED, "more": [TYPED]})
        ask("POST", "/auth/login", content=f'{{"password": "{TYPED}"')
        ask("GET", "/api/bags", headers={"authorization": f"Bearer {TYPED}"})
        ask("GET", "/api/bags", headers={"x-api-key": TYPED})
        ask("GET", f"/p/{TYPED}", headers={"cookie": f"aerocast_session={TYPED}"})
        ask("POST", "/api/guidance/find", json={"licence_plate": PLATE, "surname": "Schmidt"})
        given = client.post("/auth/login", json={"name": "viewer", "password": PASSWORD}).json()
        viewer = {"authorization": f"Bearer {given['access_token']}"}
        ask("GET", "/auth/roles", headers=viewer)
        for path in ("bags", f"bags/{PLATE}", f"bags/{PLATE}/history", f"bags/{PLATE}/passenger"):
            ask("GET", f"/api/{path}", headers=viewer)
        message = (
            f"BSM\r\n.V/1LTLS\r\n.F/AF6120/14JUN/CDG\r\n.N/{PLATE}001\r\n"
            f".P/1{SURNAME.upper()}/ANNA\r\n.L/{REFERENCE}\r\nENDBSM\r\n"
        )
        tokens = client.post("/auth/login", json={"name": NAME, "password": PASSWORD}).json()
        admin = {"authorization": f"Bearer {tokens['access_token']}"}
        assert client.post("/api/bag-messages", content=message, headers=admin).is_success
        ask("POST", "/api/bag-messages", content=message.replace("BSM", "B"), headers=admin)
        for path in ("/", "/metrics", "/health", "/docs", "/docs/openapi.json", "/login", "/find",
                     "/alerts", "/api/bag-messages", "/api/audit", "/api/webhooks"):  # fmt: skip
            ask("GET", path, headers=admin)
        assert (
            client.get(f"/api/bags/{PLATE}/passenger", headers=admin).json()["surname"] == SURNAME
        )
    logged = (hub.folder / "hub.log").read_text()
    security = (hub.folder / "security.jsonl").read_text()
    looked_at = {"log": logged, "security log": security, "answers": "".join(said)}
    names = ("access_token", "refresh_token")
    for secret in (*PLANTED, *(each[name] for each in (given, tokens) for name in names)):
        assert [where for where, text in looked_at.items() if secret in text] == [], secret
    assert "access_refused" in security
    assert '"login_failed"' in security


def test_secrets_stand_in_no_file_of_the_hubs_but_their_own(hub):
    for file in (hub.folder / "data").rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            assert not any(each.encode() in held for each in PLANTED), file


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("x" * 31, "shorter than 32 characters"),
        ("x" * 64, "looks like an example"),
        ("change-me-change-me-change-me-please-1", "looks like an example"),
        ("0123456789abcdef0123456789abcdef", "looks like an example"),
    ],
)
def test_a_hub_does_not_start_with_a_key_everybody_knows(key, why, tmp_path):
    with pytest.raises(SettingsError, match=why) as refused:
        load_settings(mode="production", data_dir=tmp_path, secret_key=key)
    assert key not in str(refused.value)
    assert load_settings(mode="demo", data_dir=tmp_path, secret_key=key)
