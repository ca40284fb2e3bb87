"""Diagnostics and captures that gateways send: a real hub, the agent's own commands."""

import asyncio
import base64
import hashlib
import json
import os
import zipfile
from contextlib import ExitStack

import httpx
import pytest
from aerocast_agent.cli import main
from aerocast_agent.diagnostics import MASK, masked
from aerocast_agent.enrolment import keys
from aerocast_hub.settings import load_settings
from aerocast_hub.storage.objects import open_objects

from tests.hub.browser.conftest import Hub
from tests.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY

NAME = ("lfbo", "hall-1")


@pytest.fixture(scope="module", params=["folder", "s3"])
def hub(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    started = Hub(folder)
    settings = {"broker_url": "none:", "gateway_file_mb": 2, "gateway_files_mb": 4}
    if request.param == "s3":
        settings |= {
            "objects_url": f"s3://{BUCKET}/{folder.name}",
            "s3_endpoint": request.getfixturevalue("endpoint"),
            "s3_access_key": ACCESS_KEY,
            "s3_secret_key": SECRET_KEY,
        }
    started.environment |= {
        f"AEROCAST_HUB_{name.upper()}": str(each) for name, each in settings.items()
    }
    del started.environment["AEROCAST_HUB_METAR_FILES"]
    store = {name: each for name, each in settings.items() if name.startswith(("objects", "s3"))}
    started.objects = open_objects(load_settings(mode="dev", data_dir=folder / "data", **store))
    started.command("gateway", "add", *NAME)
    with ExitStack() as ending:
        started.start()
        ending.callback(started.stop)
        yield started


@pytest.fixture
def agent(hub, tmp_path, capsys):
    """The technician's commands on an enrolled gateway."""
    file = tmp_path / "agent.toml"
    file.write_text(
        f'[gateway]\nsite = "{NAME[0]}"\nname = "{NAME[1]}"\n'
        f'[hub]\nbroker = "mqtt://127.0.0.1:9"\n[spool]\npath = "{tmp_path}/spool.db"\n'
    )

    def run(*words):
        status = main([*map(str, words), "--config", str(file)])
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err

    run.folder, run.file = tmp_path / "identity", file
    claim = json.loads(hub.command("gateway", "claim", *NAME, "--json"))
    assert run("enrol", "--hub", hub.base, "--token", claim["token"])[0] == 0
    return run


def listed(hub, kind):
    async def look():
        return {each.key: each.size async for each in hub.objects.list(f"{kind}/lfbo/hall-1")}

    return asyncio.run(look())


def test_a_capture_arrives_whole_and_is_never_written_over(hub, agent, tmp_path):
    capture = tmp_path / f"noon-{os.urandom(4).hex()}.iq"
    capture.write_bytes(os.urandom(1_500_000))
    status, lines, _ = agent("send", capture, "--json")
    key = f"captures/lfbo/hall-1/{capture.name}"
    assert json.loads(lines[0]) == {"key": key, "size": 1_500_000}
    assert status == 0
    *_, line = map(json.loads, hub.command("audit", "export").splitlines()[:-1])
    assert (line["action"], line["subject"]) == ("gateway_file_stored", key)
    assert line["actor"] == "gateway lfbo/hall-1"
    digest = asyncio.run(hub.objects.get_file(key, tmp_path / "back"))
    assert digest == hashlib.sha256(capture.read_bytes()).hexdigest()
    status, lines, said = agent("send", capture, tmp_path / "none.iq", "--json")
    assert (status, len(lines)) == (1, 2)
    assert "is there already" in json.loads(lines[0])["error"]
    assert "No such file" in said
    large = tmp_path / "large.iq"
    large.write_bytes(bytes(5_000_000))
    status, _, said = agent("send", large)
    assert (status, "a file has at most 2 MB (GATEWAY_FILE_MB)" in said) == (1, True)
    another = tmp_path / "another.iq"
    another.write_bytes(bytes(1_900_000))
    assert agent("send", another)[0] == 0
    status, _, said = agent("send", another.rename(tmp_path / "third.iq"))
    assert (status, "at most 4 MB (GATEWAY_FILES_MB)" in said) == (1, True)
    for each in listed(hub, "captures"):
        asyncio.run(hub.objects.delete(each))


def test_diagnostics_arrive_without_secrets(hub, agent, tmp_path):
    status, lines, _ = agent("diagnose", "--send", "--json")
    told = json.loads(lines[0])
    assert (status, listed(hub, "bundles")) == (0, {told["key"]: told["size"]})
    asyncio.run(hub.objects.get_file(told["key"], tmp_path / "bundle.zip"))
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        assert bundle.testzip() is None
        parts = {name: bundle.read(name) for name in bundle.namelist()}
    assert set(parts) == {"version.json", "config.json", "status.json", "doctor.jsonl", "log.txt"}
    assert json.loads(parts["config.json"])["gateway"]["name"] == "hall-1"
    checks = [json.loads(line) for line in parts["doctor.jsonl"].splitlines()]
    assert {"config", "daemon"} <= {each["check"] for each in checks}
    private = keys.make_key().splitlines()[0]
    assert not any(private.encode() in content for content in parts.values())
    asyncio.run(hub.objects.delete(told["key"]))
    status, _, said = agent("diagnose", "--to", tmp_path / "bundle.zip")
    assert (status, "cannot be written: File exists" in said) == (1, True)


def word_of(agent, content, **changed):
    present = (agent.folder / "gateway.pem").read_text()
    told = {
        "certificate": present[present.index("-----BEGIN CERTIFICATE") :],
        "kind": "captures",
        "name": "x.iq",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    said = json.dumps(told | changed).encode()
    return present, said


def post(hub, said, signature, content):
    headers = {
        "X-Aerocast-File": base64.b64encode(said).decode(),
        "X-Aerocast-Signature": signature,
    }
    url = f"{hub.base}/api/gateway-files"
    return httpx.post(url, content=content, headers=headers, timeout=60)


def test_words_that_are_not_the_gateways_are_refused(hub, agent):
    content = b"seen"
    present, said = word_of(agent, content)
    good = keys.sign_file(present, said)
    for other in (keys.sign_file(keys.make_key(), said), keys.sign_renewal(present, said.decode())):
        answer = post(hub, said, other, content)
        assert (answer.status_code, "not of the certificate's key" in answer.text) == (403, True)
    answer = post(hub, said, good, b"SEEN")
    assert (answer.status_code, "not what was signed" in answer.text) == (400, True)
    assert post(hub, said, good, b"seen and more").status_code == 400
    for changed in (
        {"kind": "archive"},
        {"name": "../x"},
        {"name": ".hidden"},
        {"name": "a\n"},
        {"size": 0},
        {"size": 2**31},
        {"sha256": "0"},
        {"certificate": "none"},
        {"more": 1},
    ):
        _, odd = word_of(agent, content, **changed)
        answer = post(hub, odd, keys.sign_file(present, odd), content)
        assert (answer.status_code, "cannot be read" in answer.text) == (400, True), changed
    assert post(hub, said, "no base64", content).status_code == 400
    unsigned = httpx.post(f"{hub.base}/api/gateway-files", content=content, timeout=60)
    assert unsigned.status_code == 400
    assert listed(hub, "captures") == {}
    hub.command("gateway", "revoke", *NAME)
    answer = post(hub, said, good, content)
    assert (answer.status_code, "is revoked" in answer.text) == (403, True)


def test_a_gateway_that_is_not_enrolled_is_told_to(tmp_path, capsys):
    file, capture = tmp_path / "agent.toml", tmp_path / "x.iq"
    file.write_text(
        '[gateway]\nsite = "lfbo"\nname = "hall-1"\n[hub]\nhttp = "http://127.0.0.1:9"\n'
        f'[spool]\npath = "{tmp_path}/spool.db"\n'
    )
    capture.write_bytes(b"x")
    assert main(["send", str(capture), "--config", str(file)]) == 1
    assert "see aerocast-agent enrol" in capsys.readouterr().err


def test_secrets_of_a_configuration_are_masked():
    shown = masked(
        {
            "hub": {"broker": "mqtts://gate:way@broker:8883", "password_file": "/etc/p"},
            "device": [{"name": "r700", "password": "root", "Token": "abc", "port": 5084}],
        }
    )
    assert shown == {
        "hub": {"broker": f"mqtts://{MASK}@broker:8883", "password_file": "/etc/p"},
        "device": [{"name": "r700", "password": MASK, "Token": MASK, "port": 5084}],
    }
