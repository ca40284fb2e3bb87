"""What an enrolment writes, and what it refuses to do."""

import tomllib

import msgspec
import pytest
from aerocast_agent.cli import main
from aerocast_agent.config import Config, Gateway, Spool
from aerocast_agent.doctor.identity import check_identity
from aerocast_agent.enrolment import keys
from aerocast_agent.enrolment.hub import EnrolmentError, check_url
from aerocast_agent.enrolment.identity import Dates, read_dates, write_private
from aerocast_agent.renewing import Renewing
from aerocast_agent.toml_edit import EditError, set_keys
from hypothesis import given, settings
from hypothesis import strategies as st

VALUES = {"broker": "mqtts://b:8883", "certificate": "/var/x.pem", "key": None}


@pytest.mark.parametrize(
    "before",
    [
        "",
        '[gateway]\nsite = "lfbo"\n',
        '# by hand\n[hub]\nbroker = "mqtt://old"  # old\nkey = "k"\n\n[spool]\npath = "x"\n',
        '[hub]\nhttp = "http://x"\n[[device]]\nname = "hub"\nbroker = "mqtt://not-this"\n',
        'gateway = { site = "lfbo" }\n[hub]\n',
    ],
)
def test_keys_are_set_and_the_rest_stays(before):
    edited = set_keys(before, "hub", VALUES)
    told = tomllib.loads(edited)
    expected = tomllib.loads(before)
    expected.setdefault("hub", {}).pop("key", None)
    expected["hub"] |= {name: value for name, value in VALUES.items() if value is not None}
    assert told == expected
    kept = [line for line in before.splitlines() if "broker" not in line and "key" not in line]
    assert [line for line in edited.splitlines() if line in kept] == kept
    assert set_keys(edited, "hub", VALUES) == edited


@pytest.mark.parametrize(
    "before", ['hub = { broker = "mqtt://x" }\n', '[hub]\nbroker = """\nmqtt://x"""\n']
)
def test_what_cannot_be_edited_safely_is_said_with_what_to_write(before):
    with pytest.raises(EditError, match=r'certificate = "/var/x\.pem"'):
        set_keys(before, "hub", VALUES)


@given(st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_a_value(value):
    assert tomllib.loads(set_keys("", "hub", {"ca": value}))["hub"]["ca"] == value


@pytest.mark.parametrize(
    "url", ["http://hub.example", "http://192.0.2.1:8000", "ftp://x", "hub.example", "https://"]
)
def test_a_token_never_travels_in_the_clear(url, tmp_path, capsys):
    with pytest.raises(EnrolmentError):
        check_url(url)
    words = ["enrol", "--hub", url, "--token", "t", "--config", str(tmp_path / "agent.toml")]
    (tmp_path / "agent.toml").write_text(
        f'[gateway]\nsite = "lfbo"\nname = "hall-1"\n[spool]\npath = "{tmp_path}/spool.db"\n'
    )
    assert main(words) == 1
    assert "https://" in capsys.readouterr().err


def test_on_this_machine_plain_http_will_do():
    for url in ("http://127.0.0.1:8000", "http://localhost", "https://hub.example"):
        check_url(url)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--hub", "https://x"],
        ["--token", "t"],
        ["--renew", "--token", "t", "--hub", "https://x"],
    ],
)
def test_wrong_usage_is_told(words, tmp_path, capsys):
    assert main(["enrol", *words, "--config", str(tmp_path / "none.toml")]) == 2
    assert "say --hub and --token, or --renew" in capsys.readouterr().err


def test_there_is_nothing_to_renew_before_an_enrolment(tmp_path, capsys):
    file = tmp_path / "agent.toml"
    file.write_text(
        f'[gateway]\nsite = "lfbo"\nname = "hall-1"\n[spool]\npath = "{tmp_path}/spool.db"\n'
    )
    assert main(["enrol", "--renew", "--hub", "https://x", "--config", str(file)]) == 1
    assert "nothing to renew" in capsys.readouterr().err


def test_a_hub_that_is_not_there_is_named(tmp_path, capsys):
    file = tmp_path / "agent.toml"
    file.write_text(
        f'[gateway]\nsite = "lfbo"\nname = "hall-1"\n[spool]\npath = "{tmp_path}/spool.db"\n'
    )
    before = file.read_bytes()
    words = ["enrol", "--hub", "http://127.0.0.1:9", "--token", "t", "--config", str(file)]
    assert main(words) == 1
    assert "127.0.0.1:9" in capsys.readouterr().err
    assert file.read_bytes() == before
    # The key it made waits for the next try: whoever asks again with it is given the same answer.
    waiting = (tmp_path / "identity" / "waiting.key").read_bytes()
    assert main(words) == 1
    assert (tmp_path / "identity" / "waiting.key").read_bytes() == waiting
    assert (tmp_path / "identity" / "waiting.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "identity").stat().st_mode & 0o777 == 0o700


async def test_a_gateway_that_was_never_enrolled_asks_nobody(tmp_path):
    asked = []
    renewing = Renewing("http://127.0.0.1:9", tmp_path, lambda: False, lambda: asked.append(1))
    await renewing.look()
    assert (renewing.problem, asked, renewing.dates()) == (None, [], None)


async def test_a_hub_that_does_not_answer_is_no_refusal(tmp_path, caplog):
    write_private(
        tmp_path / "identity.json", b'{"issued_at_us": 1, "renew_at_us": 2, "ends_at_us": 3}'
    )
    (tmp_path / "gateway.pem").write_text(keys.make_key() + "-----BEGIN CERTIFICATE")
    renewing = Renewing("http://127.0.0.1:9", tmp_path, lambda: True, lambda: None)
    await renewing.look()
    assert "see that the hub runs and can be reached" in caplog.text
    assert renewing.problem is None
    assert read_dates(tmp_path) == Dates(issued_at_us=1, renew_at_us=2, ends_at_us=3)


@pytest.mark.parametrize("left", ["", "no certificate", "-----BEGIN CERTIFICATE", "\0" * 800])
async def test_a_damaged_identity_is_named_with_the_mend(tmp_path, caplog, left):
    write_private(
        tmp_path / "identity.json", b'{"issued_at_us": 1, "renew_at_us": 2, "ends_at_us": 3}'
    )
    (tmp_path / "gateway.pem").write_text(left)
    await Renewing("http://127.0.0.1:9", tmp_path, lambda: True, lambda: None).look()
    assert (
        "gateway.pem holds no key and certificate any more: enrol the gateway anew" in caplog.text
    )


@pytest.mark.parametrize(
    ("day", "result", "told"),
    [
        (10, "well", "good until 1970-04-01, renewed from 1970-03-02"),
        (60.5, "well", "good until"),
        (62, "doubtful", "should have been renewed on 1970-03-02"),
        (90, "failed", "it ended on 1970-04-01; everything is kept here"),
    ],
)
def test_doctor_says_how_long_the_certificate_lasts(tmp_path, day, result, told):
    day_us = 24 * 3_600_000_000
    settings = Config(
        gateway=Gateway(site="lfbo", name="hall-1"), spool=Spool(path=str(tmp_path / "spool.db"))
    )
    assert check_identity(settings, 0) is None
    (tmp_path / "identity").mkdir()
    dates = Dates(issued_at_us=0, renew_at_us=60 * day_us, ends_at_us=90 * day_us)
    write_private(tmp_path / "identity" / "identity.json", msgspec.json.encode(dates))
    check = check_identity(settings, int(day * day_us))
    assert check.result == result
    assert told in check.found
    assert (result == "well") == (check.mend is None)


def test_dates_that_cannot_be_read_are_none(tmp_path):
    (tmp_path / "identity.json").write_text("{")
    assert read_dates(tmp_path) is None
