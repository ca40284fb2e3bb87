"""``aerocast-agent decode uhf-serial``: lines that scripts rely on."""

import json
from pathlib import Path

import pytest
from aerocast_agent.cli.decode import run
from aerocast_protocols.uhf_serial import m100, mercury, r2000, uhfreader18
from aerocast_protocols.uhf_serial.tags import ModuleTag

FRAMES = (
    Path(__file__).parents[2].parent / "shared" / "data" / "devices" / "serial" / "frames.jsonl"
)
EPC = bytes(range(12))
TAG = ModuleTag(epc=EPC, pc=0x3000, rssi_dbm=-55, antenna=1)
SAID = {
    "m100": [m100.multi_poll(), m100.encode_tag(EPC, 0x3000, -55)],
    "r2000": [
        r2000.encode_tag(TAG),
        r2000.encode_inventory_end(r2000.InventoryEnd(1, 50, 1)),
        r2000.command(r2000.Command.VERSION),
    ],
    "uhfreader18": [
        uhfreader18.encode_tags([EPC]),
        uhfreader18.encode_info(uhfreader18.Info("2.18", 9, "etsi", 26, 0.5)),
        uhfreader18.command(uhfreader18.Command.INVENTORY),
    ],
    "mercury": [
        mercury.start_reading(),
        mercury.encode_streamed(TAG),
        mercury.encode_buffered([TAG]),
        bytes.fromhex("ff00210400b483"),
    ],
}


@pytest.fixture
def decode(tmp_path, capsys):
    def decoded(content, *options):
        capture = tmp_path / "capture"
        capture.write_bytes(content)
        status = run(["uhf-serial", str(capture), "--json", *options])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return decoded


@pytest.mark.parametrize("protocol", SAID)
def test_every_frame_is_a_line_as_hex_and_as_bytes(protocol, decode):
    as_hex = "".join(f"{frame.hex()}\n" for frame in SAID[protocol]).encode()
    status, lines = decode(as_hex, "--protocol", protocol)
    assert (status, len(lines)) == (0, len(SAID[protocol]))
    (tag, *_) = [line for line in lines if line["frame"] == "tag"]
    assert tag["epc"] == EPC.hex()
    assert tag["antenna"] == 1
    if protocol != "uhfreader18":
        assert (tag["pc"], tag["rssi_dbm"]) == ("3000", -55)
    assert tag["crc_ok"] is {"m100": True, "mercury": True}.get(protocol)
    assert decode(b"\0".join(SAID[protocol]), "--protocol", protocol, "--binary") == (0, lines)


def test_what_is_no_frame_keeps_its_place(decode):
    status, lines = decode(b"bb00220000227e\nbb00220000237e\nzz\n", "--protocol", "m100")
    assert status == 1
    assert ["error" in line for line in lines] == [False, True, True]
    assert lines[0]["command"] == "SINGLE_POLL"


def test_every_captured_frame_is_shown(decode):
    if not FRAMES.exists():
        pytest.skip("shared/data/devices/serial is absent")
    protocols = {"bb7e": "m100", "a0": "r2000", "uhf18": "uhfreader18", "mercury": "mercury"}
    for vector in map(json.loads, FRAMES.read_text().splitlines()):
        status, (line,) = decode(
            vector["hex"].encode() + b"\n", "--protocol", protocols[vector["proto"]]
        )
        assert status == 0
        assert (line["frame"] == "tag") == (vector["kind"] == "tag")
        assert line.get("epc") == vector.get("epc")
