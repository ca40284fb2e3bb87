"""``aerocast-agent decode reader-json``: lines that scripts rely on."""

import json

from aerocast_agent.cli.decode import run
from aerocast_simulator.r700 import event


def test_reports_are_lines_and_what_is_none_keeps_its_place(tmp_path, capsys):
    capture = tmp_path / "capture"
    capture.write_bytes(
        event("tagInventory", {"epc": "DCEFAQ==", "pc": "NME=", "antennaPort": 2})
        + b"\nno JSON\n["
        + event("antennaDisconnected", {"antennaPort": 3})
        + b"]\n"
    )
    assert run(["reader-json", str(capture), "--maker", "impinj", "--json"]) == 1
    tag, refused, antenna = map(json.loads, capsys.readouterr().out.splitlines())
    assert (tag["report"], tag["epc"], tag["pc"], tag["antenna"]) == ("tag", "0c210501", "34C1", 2)
    assert tag["rssi_dbm"] is None
    assert set(refused) == {"error", "input"}
    assert antenna == {"report": "antenna", "antenna": 3, "connected": False}
    capture.write_bytes(b'{"data": {"idHex": "0C210501", "peakRssi": -48, "antenna": 1}}\n')
    assert run(["reader-json", str(capture), "--maker", "zebra", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rssi_dbm"] == -48
