"""Bluetooth advertisements: beacons of four makes and the weather of Ruuvi tags.

Ruuvi's vectors are those of docs.ruuvi.com (formats 3 and 5): valid, largest, smallest, unknown.
"""

from uuid import UUID

import pytest
from aerocast_protocols.ble import beacons
from aerocast_protocols.ble.advertisement import (
    MANUFACTURER,
    NAME,
    SERVICE_DATA_16,
    TX_POWER,
    Advertisement,
    decode_advertisement,
    encode_part,
)
from aerocast_protocols.ble.beacons import decode_eddystone, find_beacon, identity_of
from aerocast_protocols.ble.ruuvi import decode_ruuvi
from aerocast_protocols.errors import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

IBEACON = bytes.fromhex("0201061AFF4C000215F7826DA64FA24E988024BC5B71E0893E00440022C5")
UID = bytes.fromhex("0303AAFE1516AAFE00E700010203040506070809AABBCCDDEEFF")
URL = bytes.fromhex("0303AAFE0F16AAFE10EB036165726F6361737408")
ALTBEACON = bytes.fromhex("1BFF1801BEAC00112233445566778899AABBCCDDEEFF00112233C501")
TLM = bytes.fromhex("20000BB8158000000064000003E8")
RUUVI_5 = bytes.fromhex("0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F")
RUUVI_3 = bytes.fromhex("03291A1ECE1EFC18F94202CA0B53")


def advertised(company, content):
    return encode_part(MANUFACTURER, company.to_bytes(2, "little") + content)


WHOLE = [IBEACON, UID, URL, ALTBEACON, advertised(0x0499, RUUVI_5), advertised(0x0499, RUUVI_3)]


def found(data):
    return find_beacon(decode_advertisement(data))


def test_an_ibeacon():
    beacon = found(IBEACON)
    assert beacon.uuid == UUID("f7826da6-4fa2-4e98-8024-bc5b71e0893e")
    assert (beacon.major, beacon.minor, beacon.tx_power_dbm) == (68, 34, -59)
    assert identity_of(beacon) == "f7826da6-4fa2-4e98-8024-bc5b71e0893e:68:34"


def test_eddystone_frames():
    uid, url = found(UID), found(URL)
    assert identity_of(uid) == "00010203040506070809:aabbccddeeff"
    assert uid.tx_power_dbm == -25 - 41  # stated at the beacon, given at one metre
    tlm = decode_eddystone(TLM)
    assert (tlm.battery_mv, tlm.temperature_c) == (3000, 21.5)
    assert (tlm.advertisements, tlm.uptime_s, identity_of(tlm)) == (100, 100.0, None)
    silent = decode_eddystone(bytes.fromhex("200000008000") + TLM[6:])
    assert (silent.battery_mv, silent.temperature_c) == (None, None)
    eid = decode_eddystone(bytes.fromhex("30E70102030405060708"))
    assert identity_of(eid) == "0102030405060708"
    assert decode_eddystone(b"\x20\x01" + TLM[2:]) is None  # encrypted
    assert decode_eddystone(b"\x40\x00") is None
    assert url.url == "https://aerocast.org"


@pytest.mark.parametrize(
    ("frame", "url"),
    [
        ("10EB00676F6F676C6500", "http://www.google.com/"),
        ("10EB03676F6F2E676C2F53", "https://goo.gl/S"),
        ("10EB04", None),  # no such scheme
        ("10EB0320", None),  # a space
        ("10EB030E", None),  # reserved
    ],
)
def test_addresses_of_the_web(frame, url):
    if url is None:
        with pytest.raises(ProtocolError):
            decode_eddystone(bytes.fromhex(frame))
    else:
        assert decode_eddystone(bytes.fromhex(frame)).url == url


def test_an_altbeacon_of_any_company():
    beacon = found(ALTBEACON)
    assert (beacon.company, beacon.tx_power_dbm, beacon.reserved) == (0x0118, -59, 1)
    assert identity_of(beacon) == "00112233445566778899aabbccddeeff00112233"


@pytest.mark.parametrize(
    ("content", "temperature", "humidity", "pressure", "acceleration", "battery"),
    [
        (RUUVI_5.hex(), 24.3, 53.49, 1000.44, (0.004, -0.004, 1.036), 2977),
        (
            "057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F",
            *(163.835, 163.835, 1155.34, (32.767, 32.767, 32.767), 3646),
        ),
        (
            "058001000000008001800180010000000000CBB8334C884F",
            *(-163.835, 0.0, 500.0, (-32.767, -32.767, -32.767), 1600),
        ),
        ("058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF", None, None, None, (None,) * 3, None),
        (RUUVI_3.hex(), 26.3, 20.5, 1027.66, (-1.0, -1.726, 0.714), 2899),
        ("03FF7F63FFFF7FFF7FFF7FFFFFFF", 127.99, 127.5, 1155.35, (32.767,) * 3, 65535),
        ("0300FF6300008001800180010000", -127.99, 0.0, 500.0, (-32.767,) * 3, 0),
    ],
)
def test_ruuvis_own_vectors(content, temperature, humidity, pressure, acceleration, battery):
    tag = decode_ruuvi(bytes.fromhex(content))
    assert tag == decode_ruuvi(bytes.fromhex(content) + b"\x99" * 5)
    assert tag.temperature_c == temperature
    assert tag.humidity_percent == humidity
    assert tag.pressure_hpa == pressure
    assert tag.acceleration_g == acceleration
    assert tag.battery_mv == battery


def test_the_rest_of_ruuvis_vectors():
    tag = decode_ruuvi(RUUVI_5)
    assert (tag.tx_power_dbm, tag.movements, tag.sequence) == (4, 66, 205)
    assert identity_of(tag) == "cb:b8:33:4c:88:4f"
    unknown = decode_ruuvi(bytes.fromhex("058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF"))
    assert (unknown.tx_power_dbm, unknown.movements, unknown.sequence) == (None, None, None)
    assert identity_of(unknown) is None
    assert decode_ruuvi(b"\x08" + bytes(23)) is None  # encrypted: not for us


def test_other_advertisements_are_something_else():
    telephone = advertised(0x004C, bytes.fromhex("1005011C"))
    named = encode_part(NAME, b"Cart 7") + encode_part(TX_POWER, b"\xfc")
    heard = decode_advertisement(telephone + named + encode_part(SERVICE_DATA_16, b"\x0a\x18Z"))
    assert find_beacon(heard) is None
    assert (heard.name, heard.tx_power_dbm, heard.service) == ("Cart 7", -4, {0x180A: b"Z"})


@pytest.mark.parametrize("data", WHOLE, ids=lambda data: data.hex()[:16])
def test_padding_does_not_matter_and_a_cut_does(data):
    assert found(data) == found(data + b"\x00") == found(data + bytes(31)) is not None
    whole = decode_advertisement(data)
    for end in range(len(data)):
        try:
            assert find_beacon(decode_advertisement(data[:end])) is None
        except ProtocolError:
            continue
    for company, content in whole.manufacturer.items():
        for end in range(len(content)):
            cut = Advertisement(manufacturer={company: content[:end]})
            try:
                assert find_beacon(cut) is None
            except ProtocolError:
                continue


@settings(max_examples=100)
@given(
    st.binary(max_size=64)
    | st.tuples(
        st.sampled_from([0x004C, 0x0499, 0x0118, beacons.EDDYSTONE]),
        st.sampled_from([MANUFACTURER, SERVICE_DATA_16]),
        st.sampled_from([b"\x02\x15", b"\xbe\xac", b"\x03", b"\x05", b"\x10", b"\x20\x00", b""]),
        st.binary(max_size=30),
    ).map(lambda t: encode_part(t[1], t[0].to_bytes(2, "little") + t[2] + t[3]))
)
def test_any_bytes_are_an_advertisement_or_refused(data):
    try:
        beacon = found(data)
    except ProtocolError:
        return
    if beacon is not None:
        assert identity_of(beacon) is None or len(identity_of(beacon)) < 256


@given(st.dictionaries(st.integers(0, 65535), st.binary(max_size=40), max_size=4))
def test_what_is_written_is_read(manufacturer):
    data = b"".join(advertised(company, each) for company, each in manufacturer.items())
    assert decode_advertisement(data).manufacturer == manufacturer
