"""What readers tell in JSON: Impinj's IoT device interface, Zebra's IoT Connector."""

import base64
import json

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.network_readers import impinj, zebra
from aerocast_protocols.network_readers.reports import (
    AntennaReport,
    InputReport,
    InventoryReport,
    OverflowReport,
    TagReport,
    epc_from_base64,
    epc_from_hex,
)
from hypothesis import given, settings
from hypothesis import strategies as st

EPC = bytes.fromhex("300833b2ddd9014000000000")
# The members are those of a public client's test and of Impinj's published schema.
IMPINJ_TAG = {
    "eventType": "tagInventory",
    "timestamp": "2026-04-02T12:00:00.123456789Z",
    "hostname": "impinj-14-00-01",
    "tagInventoryEvent": {
        "epcHex": "300833B2DDD9014000000000",
        "epc": base64.b64encode(EPC).decode(),
        "pc": "NME=",
        "antennaPort": 1,
        "antennaName": "Antenna 1",
        "peakRssiCdbm": -5234,
        "frequency": 865_700,
        "transmitPowerCdbm": 3000,
        "lastSeenTime": "2026-04-02T12:00:01Z",
        "phaseAngle": 32.5,
    },
}
IMPINJ_READ = TagReport(
    epc=EPC,
    pc=0x34C1,
    antenna=1,
    rssi_dbm=-52.34,
    phase_deg=32.5,
    frequency_khz=865_700,
    seen_at_us=1_775_131_201_000_000,
)
# As a public mapper's test has it, from an FXR90; then as Zebra's handheld readers gather them.
ZEBRA_TAG = {
    "data": {"idHex": "aa0004ef55555555aa21bf43", "peakRssi": -34, "antenna": 4},
    "timestamp": "2026-08-13T09:14:28.651+0000",
    "type": "CUSTOM",
}
ZEBRA_TAGS = {
    "type": "BALANCED_PERFORMANCE",
    "timestamp": "2019-08-24T14:15:22Z",
    "data": {
        "tagData": [
            {
                "EPCid": "BEDD11112222333344445555",
                "EPC": "BEDD11112222333344445555",
                "PC": "3000",
                "channel": 911.75,
                "eventNum": 1,
                "peakRssi": -39,
                "phase": 0,
                "seenCount": 2,
            }
        ]
    },
}


def written(value):
    return json.dumps(value).encode()


def changed(tag, **members):
    content = {k: v for k, v in {**tag["tagInventoryEvent"], **members}.items() if v is not None}
    return written({**tag, "tagInventoryEvent": content})


def test_an_impinj_tag_is_read_with_all_that_was_measured():
    assert impinj.decode_events(written(IMPINJ_TAG)) == [IMPINJ_READ]
    assert impinj.decode_events(written([IMPINJ_TAG, IMPINJ_TAG])) == 2 * [IMPINJ_READ]
    lines = written(IMPINJ_TAG) + b"\r\n" + written(IMPINJ_TAG) + b"\r\n"
    assert impinj.decode_events(lines) == 2 * [IMPINJ_READ]
    assert impinj.decode_events(json.dumps(IMPINJ_TAG, indent=2).encode()) == [IMPINJ_READ]


@pytest.mark.parametrize(
    "members",
    [
        {"epcHex": None},
        {"epc": None},
        {"epcHex": None, "epc": base64.urlsafe_b64encode(EPC).decode().rstrip("=")},
        {"pc": "34C1"},
    ],
)
def test_an_epc_comes_as_base64_or_hex_or_both(members):
    assert impinj.decode_events(changed(IMPINJ_TAG, **members)) == [IMPINJ_READ]


def test_a_tag_says_only_what_its_preset_enables():
    bare = {"tagInventoryEvent": {"epc": base64.b64encode(EPC).decode()}}
    assert impinj.decode_events(written(bare)) == [TagReport(epc=EPC)]


@pytest.mark.parametrize(
    ("kind", "content", "report"),
    [
        ("antennaConnected", {"antennaPort": 3}, AntennaReport(antenna=3, connected=True)),
        ("antennaDisconnected", {"antennaPort": 3}, AntennaReport(antenna=3, connected=False)),
        ("gpiTransition", {"gpi": 1, "transition": "low-to-high"}, InputReport(pin=1, level=1)),
        ("gpiTransition", {"gpi": 2, "transition": "high-to-low"}, InputReport(pin=2, level=0)),
        ("inventoryStatus", {"status": "running"}, InventoryReport(status="running")),
        ("inventoryTerminated", {"reason": "x"}, InventoryReport(status="terminated")),
        ("overflow", {"entity": "http-stream"}, OverflowReport()),
        ("diagnostic", {"code": "19"}, None),
    ],
)
def test_other_events_of_an_impinj_reader(kind, content, report):
    said = written(
        {"timestamp": "2026-04-02T12:00:00Z", "eventType": kind, f"{kind}Event": content}
    )
    assert impinj.decode_events(said) == ([] if report is None else [report])


def test_zebra_tags_are_read():
    assert zebra.decode_events(written(ZEBRA_TAG)) == [
        TagReport(
            epc=bytes.fromhex("aa0004ef55555555aa21bf43"),
            antenna=4,
            rssi_dbm=-34,
            seen_at_us=1_786_612_468_651_000,
        )
    ]
    assert zebra.decode_events(written([ZEBRA_TAGS])) == [
        TagReport(
            epc=bytes.fromhex("bedd11112222333344445555"),
            pc=0x3000,
            rssi_dbm=-39,
            phase_deg=0,
            frequency_khz=911_750,
            seen_at_us=1_566_656_122_000_000,
            seen_count=2,
        )
    ]
    heartbeat = {"component": "RC", "data": {"radio_control": {}}, "type": "heartbeat"}
    assert zebra.decode_events(written([heartbeat, {"data": {"eventNum": 3}}])) == []


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"", "message"),
        (b"{", "message"),
        (b"7", "event"),
        (b"[1]", "event"),
        (b"[" * 100_000, "message"),
        (b" " * 2_000_000, "too large"),
        (changed(IMPINJ_TAG, epcHex="3008"), "two EPCs"),
        (changed(IMPINJ_TAG, epc=None, epcHex=None), "without an EPC"),
        (changed(IMPINJ_TAG, epc="?"), "no base64"),
        (changed(IMPINJ_TAG, epc=None, epcHex="300"), "hexadecimal"),
        (changed(IMPINJ_TAG, epc=None, epcHex="30" * 63), "hexadecimal"),
        (changed(IMPINJ_TAG, pc="AAAA=="), "PC word"),
        (changed(IMPINJ_TAG, antennaPort=0), "event"),
        (changed(IMPINJ_TAG, peakRssiCdbm="loud"), "event"),
        (changed(IMPINJ_TAG, lastSeenTime="noon"), "ISO 8601"),
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(message, says):
    with pytest.raises(ProtocolError, match=says):
        impinj.decode_events(message)


def test_the_status_says_what_the_reader_does():
    status = impinj.decode_status(b'{"status": "idle", "serialNumber": "370", "time": "x"}')
    assert (status.status, status.serial_number) == ("idle", "370")
    for broken in (b"", b"[]", b'{"status": 3}'):
        with pytest.raises(ProtocolError):
            impinj.decode_status(broken)


@given(st.binary(max_size=62))
@settings(max_examples=60, deadline=None)
def test_every_epc_comes_back_from_either_text(epc):
    assert epc_from_hex(epc.hex()) == epc_from_hex(epc.hex().upper()) == epc
    assert epc_from_base64(base64.b64encode(epc).decode()) == epc
    assert epc_from_base64(base64.urlsafe_b64encode(epc).decode().rstrip("=")) == epc


@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["data", "tagData", "idHex", "tagInventoryEvent", "epcHex", "epc", "pc"]
                    ),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=8,
        ).map(written),
    )
)
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_reports_or_refused(message):
    for decode in (impinj.decode_events, zebra.decode_events):
        try:
            reports = decode(message)
        except ProtocolError:
            continue
        assert isinstance(reports, list)


@pytest.mark.parametrize("decode", [impinj.decode_events, zebra.decode_events])
def test_no_flipped_bit_lets_anything_else_escape(decode):
    for whole in (written(IMPINJ_TAG), written(ZEBRA_TAGS)):
        for bit in range(8 * len(whole)):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            try:
                decode(bytes(flipped))
            except ProtocolError:
                continue
        for cut in range(1, len(whole)):
            with pytest.raises(ProtocolError):
                decode(whole[:cut])
