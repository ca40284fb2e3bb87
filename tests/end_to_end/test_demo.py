"""The demo as a newcomer runs it: one command, and a summary that tells the truth."""

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path

from aerocast_simulator import timetable

DEMO = Path(sys.executable).with_name("aerocast-demo")


async def run(*arguments):
    process = await asyncio.create_subprocess_exec(
        str(DEMO), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_the_airport_comes_out_as_advice_and_nothing_is_lost(tmp_path):
    status, out, err = await run("--seconds", "75", "--data-dir", str(tmp_path / "kept"))
    assert status == 0, err
    summary = json.loads(out)
    assert summary["lost"] == summary["unexplained_loss"] == summary["waiting"] == 0
    assert summary["stored"] == summary["observations_made"]
    for count in ("bags", "passages", "flights_on_block", "winds", "advice_given"):
        assert summary[count] > 0, count
    assert summary["bags"] >= 28, "24 from a file, and of the departure what was checked in"
    assert "logged in at the baggage host" in (tmp_path / "kept" / "hub" / "hub.log").read_text()
    for log in (tmp_path / "kept").rglob("*.log"):
        text = log.read_text()
        assert "Traceback" not in text, log
        for flight in timetable.plan(random.Random(1)):
            for bag in flight.bags:
                assert bag.passenger not in text, "a passenger's name in a log"


async def test_control_c_ends_it_in_good_order(tmp_path):
    process = await asyncio.create_subprocess_exec(
        *(str(DEMO), "--data-dir", str(tmp_path / "kept")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    said = b""
    async with asyncio.timeout(150):
        while b"ready after" not in said:
            said += await process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: everybody in the foreground
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert json.loads(out)["lost"] == 0
    assert b"Traceback" not in err


async def test_a_folder_without_recordings_is_refused_in_one_line(tmp_path):
    status, out, err = await run("--captures", str(tmp_path / "nowhere"))
    assert (status, out) == (2, "")
    assert "nowhere is not a folder" in err
    assert "Traceback" not in err
