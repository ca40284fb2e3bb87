"""Real recordings, replayed by two gateways from a common start, through the running system."""

import base64
import json

import pytest
from aerocast_simulator.captures import Recordings
from aerocast_simulator.town import Hub

from tests.end_to_end.conftest import REPORTS, until

MOMENTS = ("off_block", "airborne", "landed", "on_block")  # the first two from another gateway


async def items(hub, path):
    return (await hub.client.get(path))["items"]


def check_flight(flight, truth):
    """The flight took off, landed and parked when it really did, within sigma plus 10 s."""
    real_ones = ("off_stand_s", "airborne_s", "landed_s", "stopped_s")
    for ours, real in zip(MOMENTS, (truth[each] for each in real_ones), strict=True):
        moment = flight["actual"][ours]
        elapsed_s = moment["at_us"] / 1e6 - truth["t0_unix_s"]
        assert abs(elapsed_s - real["value"]) <= real["sigma"] + 10.0, ours
        assert moment["stand"] == real.get("stand"), ours
    assert flight["flight"] == "AF6126"


async def check_tags(hub):
    """Every captured report is stored with its EPC, antenna and RSSI, and none became a bag."""
    reports = [json.loads(path.read_text()) for path in sorted(REPORTS.glob("ROAccess*.json"))]
    real = {
        (base64.b64decode(tag["EPC96"]["EPC"]).hex(), tag["AntennaID"], float(tag["PeakRSSI"]))
        for report in reports
        for tag in report["TagReportData"]
    }
    reads = await items(hub, "/api/observations?kind=tag_read")
    seen = [each["observation"] for each in reads]
    assert {(tag["epc"], tag["antenna"], tag["rssi_dbm"]) for tag in seen} == real
    assert len(seen) == len(reports) == 6
    assert await items(hub, "/api/observations?kind=bag_passage") == []
    assert await items(hub, "/api/bags") == []


async def check_place(hub):
    """The gateway with a GPS is where the log was recorded, in Calgary."""
    (hall,) = [each for each in await items(hub, "/api/gateways") if each["name"] == "hall-1"]
    assert hall["position_source"] == "fix"
    assert hall["position"]["latitude_deg"] == pytest.approx(51.0681, abs=0.001)
    assert hall["position"]["longitude_deg"] == pytest.approx(-114.0956, abs=0.001)


async def check_weather(hub):
    """The destination's report is the one of the world-wide file of 2025, told with its age."""
    weather = await hub.client.get("/api/weather/LFBO")
    report = weather["report"]
    assert report["raw"].endswith("LFBO 141830Z AUTO 35005KT CAVOK 33/15 Q1017 NOSIG")
    assert (report["wind_direction_deg"], report["wind_speed_kt"]) == (350, 5)
    assert (report["temperature_c"], report["altimeter_hpa"]) == (33, 1017)


async def test_the_captures_come_out_as_what_really_happened(captured, truth, tmp_path):
    play = Recordings(captured)
    hub = Hub(tmp_path / "hub", metars=play.metars)
    await hub.prepare()
    gateways = await play.prepare(hub, tmp_path)
    try:
        await hub.start()
        for gateway in gateways:
            await gateway.process.start()

        async def parked():
            return await items(hub, "/api/flights/parked")

        (flight,) = await until(
            parked,
            lambda flights: flights and all(flights[0]["actual"][each] for each in MOMENTS),
        )
        check_flight(flight, truth)
        for gateway in gateways:
            await until(gateway.waiting, lambda waiting: waiting == 0)
        await check_tags(hub)
        await check_place(hub)
        await check_weather(hub)
        for line in (await hub.command("gateway", "losses", "--json")).splitlines():
            assert json.loads(line)["unexplained"] == 0
    finally:
        for gateway in gateways:
            await gateway.process.stop()
        await hub.process.stop()
