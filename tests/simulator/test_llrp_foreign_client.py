"""The simulated reader, read by a client that somebody else wrote: sllurp, a process of its own."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aerocast_simulator import llrp_reader

from tests.agent.readers import a_reader, epc
from tests.servers import find_peer
from tests.waiting import until

CLIENT = Path(__file__).with_name("sllurp_client.py")
EVERYTHING = {
    "antennas": [0],
    "keepalive_interval": 100,
    "event_selector": {"GPIEvent": True, "AntennaEvent": True},
    "tag_content_selector": {
        f"Enable{each}": True
        for each in ("AntennaID", "PeakRSSI", "FirstSeenTimestamp", "ChannelIndex", "ROSpecID")
    },
    "impinj_tag_content_selector": {
        "EnableRFPhaseAngle": True,
        "EnablePeakRSSI": True,
        "EnableRFDopplerFrequency": True,
    },
    "impinj_search_mode": 2,
}


class Client:
    def __init__(self, process):
        self._process = process
        self.told = []

    async def until(self, kind, count=1):
        """Wait until so many of a kind were told; gives all of them."""
        async with asyncio.timeout(60):
            while sum(each["kind"] == kind for each in self.told) < count:
                line = await self._process.stdout.readline()
                assert line, f"sllurp ended after {self.told}"
                self.told.append(json.loads(line))
        return [each["told"] for each in self.told if each["kind"] == kind]


@asynccontextmanager
async def sllurp(reader, **settings):
    find_peer("sllurp")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        CLIENT,
        str(reader.port),
        json.dumps({**EVERYTHING, **settings}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    client = Client(process)
    try:
        yield client
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """The reader waits a minute for an answer to its keepalives, ten of which come in a second."""
    monkeypatch.setattr(llrp_reader, "GIVES_UP_AFTER", 600)


async def test_it_reads_tags_inputs_and_antennas_that_come_in_small_pieces():
    async with a_reader(piece=lambda: 7) as reader, sllurp(reader) as client:
        await until(lambda: reader.is_reading and reader.state.sends_extras)
        for number in range(40):
            assert reader.report(epc(number), 1 + number % 4, -50.25, phase_deg=90.0, channel=2)
        reader.gpio(1, 1)
        reader.antenna(2, connected=False)
        tags = await client.until("tag", 40)
        events = await client.until("event", 3)
        await until(lambda: reader.acknowledged_keepalives >= 3)
        (capabilities, *_) = await client.until("capabilities")
    assert [each["EPC-96"] for each in tags] == [epc(number).hex() for number in range(40)]
    (first, *_rest) = tags
    assert (first["AntennaID"], first["PeakRSSI"], first["ChannelIndex"]) == (1, -50, 2)
    assert (first["ImpinjPeakRSSI"], first["ImpinjRFPhaseAngle"]) == (-5025, 1024)
    assert events[0]["ConnectionAttemptEvent"] == {"Status": "Success"}
    assert events[1]["GPIEvent"] == {"GPIPortNumber": 1, "GPIEvent": True}
    assert events[2]["AntennaEvent"] == {"AntennaID": 2, "EventType": "Disconnected"}
    general = capabilities["GeneralDeviceCapabilities"]
    assert (general["MaxNumberOfAntennaSupported"], general["ModelName"]) == (4, 2_001_002)
    assert reader.sessions == 1


async def test_a_second_one_is_told_why_it_is_refused():
    async with a_reader() as reader, sllurp(reader) as first:
        await until(lambda: reader.is_reading)
        reader.report(epc(1), 1, -50.0)
        await first.until("tag")  # else it would take what it is told for an answer
        async with sllurp(reader) as second:
            (told,) = await second.until("event")
            await until(lambda: reader.refused == 1)
        events = await first.until("event", 2)
    statuses = [each["ConnectionAttemptEvent"]["Status"] for each in (told, events[1])]
    assert statuses == [
        "Failed (a Client initiated connection already exists)",
        "Another connection attempted",
    ]


async def test_what_was_held_comes_to_it_with_word_of_what_was_lost():
    async with a_reader(hold_limit=5) as reader:
        async with sllurp(reader, reset_on_connect=False) as first:
            await until(lambda: reader.is_reading)
            reader.state.hold_reports = True
            await reader.drop(abort=True)  # it goes without cleaning up
            await first.until("disconnected")
        for number in range(8):
            assert reader.report(epc(number), 1, -50.0)
        async with sllurp(reader, reset_on_connect=False, start_inventory=False) as second:
            tags = await second.until("tag", 5)
            events = await second.until("event", 2)
    assert [each["EPC-96"] for each in tags] == [epc(number).hex() for number in range(5)]
    assert "ReportBufferOverflowErrorEvent" in events[1]
    assert reader.lost == 3
