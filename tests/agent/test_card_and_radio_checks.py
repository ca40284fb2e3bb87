"""Doctor looks for what card readers and radios are reached through."""

import pytest
from aerocast_agent.config import Ble, SmartCard
from aerocast_agent.doctor.machine import check_service
from aerocast_agent.status import Status

CARDS, RADIO, SECOND = SmartCard(name="d"), Ble(name="d"), Ble(name="d", adapter="hci1")


def status(**more):
    return Status(
        site="s", name="g", running=True, accepted=0, acked=0, evicted=0, dead=0, waiting=0,
        spool="", spool_rows={}, spool_bytes=0, agent_version="",
        devices={"d": "connected"}, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("device", "there", "result", "says"),
    [
        (CARDS, "pcscd.comm", "well", "pcscd listens"),
        (CARDS, "other", "failed", "enable --now pcscd.socket"),
        (RADIO, "hci0", "well", "radios: hci0"),
        (RADIO, "other", "failed", "there are: none"),
        (SECOND, "hci0", "failed", "no radio hci1; there are: hci0"),
        (SECOND, "hci1", "well", "radios: hci1"),
    ],
)
def test_what_a_device_needs_is_there_or_named_with_its_mend(tmp_path, device, there, result, says):
    (tmp_path / there).touch()
    check = check_service(device, status(), tmp_path / "pcscd.comm", tmp_path)
    assert check.result == result
    assert says in f"{check.found} {check.mend}"


def test_one_that_is_lost_says_why(tmp_path):
    (tmp_path / "pcscd.comm").touch()
    lost = status(device_errors={"d": "OSError: no card reader is plugged in"})
    lost.devices["d"] = "lost"
    check = check_service(CARDS, lost, tmp_path / "pcscd.comm", tmp_path)
    assert (check.result, check.found) == ("failed", "OSError: no card reader is plugged in")
    assert "probe d" in check.mend
