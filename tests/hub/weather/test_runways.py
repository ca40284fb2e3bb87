"""Runways people bring, and what refuses them."""

import json

from aerocast_hub.audit.tables import AuditRow
from aerocast_hub.cli import main
from aerocast_hub.importing import RefusedRow
from aerocast_hub.weather.limits import Runway
from aerocast_hub.weather.runways import RunwayLine, import_runways, runways_of
from sqlalchemy import select

HEADINGS = "airport,runway,true_bearing_deg\n"


async def imported(database, tmp_path, text):
    file = tmp_path / "runways.csv"
    file.write_text(text)
    return await import_runways(database, file)


async def named(database, station):
    async with database.reading() as session:
        return [each.name for each in await runways_of(session, station)]


async def test_runways_are_those_of_their_airport_whatever_its_code(database, tmp_path):
    lines = HEADINGS + "TLS,14l,143\nLFBO,32R,323\nEGLL,27L,269.7\nEGLL,36,360\n"
    read = await imported(database, tmp_path, lines)
    assert read[0] == RunwayLine(airport="LFBO", runway="14L", true_bearing_deg=143.0)
    async with database.reading() as session:
        assert await runways_of(session, "EGLL") == [
            Runway(name="27L", true_bearing_deg=269.7),
            Runway(name="36", true_bearing_deg=0.0),
        ]
    assert await named(database, "LFBO") == ["14L", "32R"]
    assert await named(database, "LFPG") == []


async def test_a_file_replaces_what_its_airports_had_and_no_other_airports(database, tmp_path):
    await imported(database, tmp_path, HEADINGS + "LFBO,14L,143\nEGLL,27L,269.7\n")
    for _ in range(2):
        await imported(database, tmp_path, HEADINGS + "LFBO,15L,150\n")
        assert await named(database, "LFBO") == ["15L"]
    assert await named(database, "EGLL") == ["27L"]
    async with database.reading() as session:
        asked = select(AuditRow).where(AuditRow.action == "runways_imported")
        told = list(await session.scalars(asked.order_by(AuditRow.number)))
    assert [each.subject for each in told] == ["runways runways.csv"] * 3


async def test_a_line_that_is_refused_takes_nothing_away(database, tmp_path):
    await imported(database, tmp_path, HEADINGS + "LFBO,14L,143\nLFBO,32R,323\n")
    lines = "LFBO,14L,144\nLFBO,32R,south\nLFBO,55,nan\nLFBO,41R,10\nLFBO,09,400\n?,09,90\n"
    read = await imported(database, tmp_path, HEADINGS + lines)
    refused = [each.error for each in read if isinstance(each, RefusedRow)]
    assert [each.partition(":")[0] for each in refused] == [f"line {n}" for n in range(3, 8)]
    assert "true_bearing_deg" in refused[0]
    assert "runway '41R': expected one direction, such as 14L" in refused[2]
    assert "true_bearing_deg '400.0': expected 0 to 360 degrees" in refused[3]
    assert "airport '?': expected an airport's code" in refused[4]
    assert await named(database, "LFBO") == ["14L", "32R"]


def test_the_command_takes_json_lines_and_answers_in_them(
    monkeypatch, tmp_path, capsys, database_url
):
    monkeypatch.setenv("AEROCAST_HUB_MODE", "dev")
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", database_url)
    file = tmp_path / "runways.jsonl"
    line = {"airport": "LFBO", "runway": "14L", "true_bearing_deg": 143.0}
    file.write_text(json.dumps(line) + '\n{"airport": "LFBO"}\n')
    assert main(["import", "runways", str(file), "--json"]) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == line
    assert "runway" in second["error"]
    assert second["input"] == '{"airport": "LFBO"}'
