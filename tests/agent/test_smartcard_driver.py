"""Smart cards through a real pcscd: they come, are read, and go; badges keep their identifiers."""

import asyncio
import contextlib

import pytest
from aerocast_agent.build import driver_of
from aerocast_agent.config_file import ConfigError, parse_config
from aerocast_agent.drivers.smartcard import SmartCardReader, badge_of
from aerocast_protocols.observations.cards import BadgeShown, CardPresented, CardRemoved
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_protocols.smartcard.ndef import encode_ndef, text_record, uri_record
from aerocast_simulator.virtual_card import Type2Card, Type4Card

from tests.pcsc import running_pcscd

pytest.importorskip("smartcard", reason="pyscard is not installed: make smartcard")

BAG = "https://bag.example/0074123456"
BAG_UID, BADGE_UID = bytes.fromhex("04A1B2C3D4E5F6"), bytes.fromhex("04DEADBEEF0102")
KEY = bytes(range(32))
FIRST = "Virtual PCD 00 00"


@contextlib.asynccontextmanager
async def reading(driver):
    accepted = asyncio.Queue()
    task = asyncio.create_task(driver.run(accepted.put_nowait))

    async def next_one():
        waiting = asyncio.create_task(accepted.get())
        async with asyncio.timeout(60):
            await asyncio.wait({waiting, task}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waiting.cancel()
            task.result()
        return waiting.result()

    try:
        yield next_one
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_cards_through_a_real_pcscd(tmp_path, monkeypatch):
    async with running_pcscd(tmp_path) as (slot, where):
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", where)
        async with reading(SmartCardReader("nfc", FIRST)) as next_one:
            connected = await next_one()
            assert isinstance(connected, DeviceEvent)
            assert connected.detail == FIRST
            for card, text in (
                (Type2Card(BAG_UID, encode_ndef([uri_record(BAG)])), BAG),
                (
                    Type4Card(BAG_UID, encode_ndef([text_record("0074123456" * 30)])),
                    "0074123456" * 30,
                ),
                (Type4Card(BAG_UID), None),
            ):
                await slot.insert(card)
                told = await next_one()
                assert isinstance(told, CardPresented)
                assert (told.uid, told.atr, told.ndef_text) == (BAG_UID, card.atr, text)
                await slot.remove()
                gone = await next_one()
                assert isinstance(gone, CardRemoved)
                assert 0 < gone.held_s < 60
            await slot.insert(Type2Card(BADGE_UID))
            await next_one()
            report = await SmartCardReader(
                "nfc", "virtual pcd"
            ).probe()  # beside the one that reads
            assert report.says["card"] == "MIFARE Ultralight or NTAG"
            assert BADGE_UID.hex() not in str(report)
        await badges(slot)
        with pytest.raises(FileNotFoundError, match="no card reader 'ACR'; there are: Virtual PCD"):
            await SmartCardReader("nfc", "ACR").probe()
    with pytest.raises(OSError, match="is pcscd running"):
        await SmartCardReader("nfc").run(print)


async def badges(slot):
    """A badge is known by its keyed hash; one that lies there already was not shown."""
    async with reading(SmartCardReader("desk", FIRST, badge_key=KEY)) as next_one:
        assert isinstance(await next_one(), DeviceEvent)
        await slot.remove()
        await slot.insert(Type2Card(BADGE_UID))
        shown = await next_one()
        assert isinstance(shown, BadgeShown)
        assert shown.badge == badge_of(BADGE_UID, KEY) != badge_of(BADGE_UID, KEY[::-1])
        assert BADGE_UID not in shown.badge
        await slot.remove()
        assert isinstance(await next_one(), CardRemoved)


GATEWAY = (
    '[gateway]\nsite = "lfbo"\nname = "hall-1"\n[[device]]\nname = "desk"\nkind = "smartcard"\n'
)


def built(tmp_path, more):
    config = parse_config(GATEWAY + more, name="agent.toml", folder=tmp_path)
    return driver_of(config, config.devices[0])


def test_a_reader_for_badges_wants_the_airports_key(tmp_path):
    with pytest.raises(ConfigError, match="badge_key is missing: make one with 'head -c 32"):
        built(tmp_path, 'purpose = "badges"\n')
    with pytest.raises(ConfigError, match=r"badge_key: .*own.key: No such file"):
        built(tmp_path, 'purpose = "badges"\nbadge_key = "own.key"\n')
    (tmp_path / "own.key").write_bytes(b"short")
    with pytest.raises(ConfigError, match="has 5 bytes, not 32 to 4096"):
        built(tmp_path, 'purpose = "badges"\nbadge_key = "own.key"\n')
    (tmp_path / "own.key").write_bytes(KEY)
    assert built(tmp_path, 'purpose = "badges"\nbadge_key = "own.key"\n').name == "desk"
    assert built(tmp_path, "").name == "desk"
