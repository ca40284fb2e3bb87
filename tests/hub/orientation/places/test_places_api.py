import json
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aerocast_hub.app import create_app
from aerocast_hub.cli import main
from aerocast_hub.database.engine import Database
from aerocast_hub.importing import UnusableInputError
from aerocast_hub.orientation.places.imports import import_places
from aerocast_hub.settings import SERVICES, load_settings
from litestar.testing import AsyncTestClient

AIRPORT = Path(__file__).with_name("airport.toml")
GTFS = Path(__file__).parents[5] / "shared" / "data" / "baggage" / "gtfs_pathways"
MINUTE_US = 60_000_000
UP = {"airport": "TLS", "from": "reclaim-4", "to": "gate-B12"}


@pytest.fixture
async def hub(database_url, tmp_path):
    async with running_hub(database_url, tmp_path) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asked(shared_database_url, tmp_path_factory):
    """One for all who ask and close nothing."""
    async with running_hub(shared_database_url, tmp_path_factory.mktemp("hub")) as client:
        yield client


@asynccontextmanager
async def running_hub(database_url, folder):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=folder / "data", broker_url="none:"
    )
    database = Database(database_url)
    await import_places(database, AIRPORT)
    await database.close()
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        client.headers["authorization"] = f"Bearer {token(client, 'read', 'write')}"
        yield client


def token(client, *verbs):
    may = frozenset(f"orientation:{verb}" for verb in verbs)
    subject = "00000000-0000-0000-0000-000000000001"
    return client.app.state.hub.keys.signer.issue(subject, "op", may, int(time.time()))


async def ask(hub, **wanted):
    answer = await hub.post("/api/routes", json=UP | wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_map_is_kept_in_versions_and_the_same_map_only_once(hub, database, tmp_path):
    again, *_ = await import_places(database, AIRPORT)
    assert (again.version, again.is_new) == (1, False)
    longer = tmp_path / "longer.toml"
    longer.write_text(AIRPORT.read_text(encoding="utf-8").replace("[60, 120]", "[60, 240]"))
    newer, *_ = await import_places(database, longer)
    assert (newer.airport, newer.version, newer.is_new) == ("TLS", 2, True)

    listed = (await hub.get("/api/places")).json()
    assert [(each["airport"], each["version"], each["format"]) for each in listed] == [
        ("TLS", 2, "drawn")
    ]
    versions = (await hub.get("/api/places/lfbo/versions")).json()
    assert [each["version"] for each in versions] == [2, 1]
    old = (await hub.get("/api/places/TLS?version=1")).json()
    new = (await hub.get("/api/places/TLS")).json()
    assert (old["version"]["version"], new["version"]["version"]) == (1, 2)
    assert len(new["map"]["places"]) == 5
    assert (await hub.get("/api/places/TLS?version=9")).status_code == 404
    for beyond in (0, 2**31, 42_670_109_346_024_652_934_217_728):
        assert (await hub.get(f"/api/places/TLS?version={beyond}")).status_code == 400
    assert (await hub.get("/api/places/CDG")).status_code == 404
    assert (await ask(hub))["steps"][-1]["metres"] == 240


async def test_a_route_is_found_by_get_and_by_post_in_the_language_asked_for(asked):
    posted = await ask(asked)
    assert [step["kind"] for step in posted["steps"]] == ["walkway", "stairs", "walkway"]
    got = await asked.get("/api/routes", params=UP | {"profile": "wheelchair", "language": "fr"})
    found = got.json()
    assert found["seconds"] > posted["seconds"]
    assert [step["text"] for step in found["steps"]][1] == (
        "Prenez l’ascenseur C et montez au niveau 1."
    )
    assert all(step["is_accessible"] for step in found["steps"])


async def test_a_closed_lift_is_led_around_or_told_until_it_is_open_again(hub):
    answer = await hub.post("/api/places/TLS/outages", json={"subject": "C", "reason": "repair"})
    assert answer.status_code == 201
    outage = answer.json()
    assert outage["told_by"] == "op"
    found = await ask(hub, profile="wheelchair")
    assert found["seconds"] is None
    assert found["unreachable"]["reason"] == "closed"
    assert found["unreachable"]["obstacles"] == ["C"]
    assert (await ask(hub))["seconds"] is not None
    earlier = await ask(hub, profile="wheelchair", at_us=outage["from_us"] - 10 * MINUTE_US)
    assert earlier["seconds"] is not None
    assert [each["id"] for each in (await hub.get("/api/places/TLS/outages")).json()] == [
        outage["id"]
    ]

    lifted = await hub.delete(f"/api/places/TLS/outages/{outage['id']}")
    assert lifted.status_code == 200
    assert (await ask(hub, profile="wheelchair"))["seconds"] is not None
    again = await hub.delete(f"/api/places/TLS/outages/{outage['id']}")
    assert again.status_code == 404


async def test_queues_make_a_route_as_long_as_they_are_when_people_come_to_them(hub):
    now_us = time.time_ns() // 1000
    route = {"from": "landside", "to": "gate-B12", "at_us": now_us}
    quick = await ask(hub, **route)
    waits = [{"at_us": now_us, "wait_s": 600}, {"at_us": now_us + 60 * MINUTE_US, "wait_s": 0}]
    told = await hub.post("/api/places/TLS/queues", json={"subject": "security", "waits": waits})
    assert [each["wait_s"] for each in told.json()["security"]] == [600.0, 0.0]
    slow = await ask(hub, **route)
    assert slow["seconds"] == pytest.approx(quick["seconds"] + 600, abs=0.01)
    assert slow["steps"][0]["text"] == "Go through security: expect to wait 10 minutes."
    later = await ask(hub, **route | {"at_us": now_us + 30 * MINUTE_US})
    assert later["seconds"] == pytest.approx(quick["seconds"] + 300, abs=0.01)
    # What is told anew replaces what was expected.
    told = await hub.post(
        "/api/places/TLS/queues", json={"subject": "security", "waits": waits[:1]}
    )
    assert len(told.json()["security"]) == 1


WRONG = [
    ({"profile": "skates"}, 400, "profile 'skates': expected one of default, family"),
    ({"from": "moon"}, 404, "from 'moon': expected a place of the map"),
    ({"to": "moon"}, 404, "to 'moon'"),
    ({"airport": "CDG"}, 404, "airport 'CDG' has no such map"),
    ({"speed": 3}, 400, "speed"),
]


async def test_a_wrong_question_is_answered_by_name(asked):
    for wanted, status, told in WRONG:
        answer = await asked.post("/api/routes", json=UP | wanted)
        assert answer.status_code == status
        assert told in answer.text


MEANINGLESS = [
    ("outages", {"subject": "lift-X"}),
    ("outages", {"subject": "C", "from_us": 5, "until_us": 5}),
    ("outages", {"subject": "C", "reason": "a\x00b"}),
    ("queues", {"subject": "lift-X", "waits": [{"at_us": 1, "wait_s": 1}]}),
    ("queues", {"subject": "security", "waits": []}),
    ("queues", {"subject": "security", "waits": [{"at_us": 1, "wait_s": -1}]}),
]


async def test_a_closure_or_queue_that_means_nothing_is_refused(asked):
    for path, sent in MEANINGLESS:
        assert (await asked.post(f"/api/places/TLS/{path}", json=sent)).status_code == 400
        assert (await asked.post(f"/api/places/CDG/{path}", json=sent)).status_code in (400, 404)


async def test_only_who_may_write_closes_things(asked):
    reader = {"authorization": f"Bearer {token(asked, 'read')}"}
    for path, sent in (
        ("outages", {"subject": "C"}),
        ("queues", {"subject": "security", "waits": [{"at_us": 1, "wait_s": 1}]}),
    ):
        answer = await asked.post(f"/api/places/TLS/{path}", json=sent, headers=reader)
        assert answer.status_code == 403
    assert (await asked.get("/api/places/TLS/outages", headers=reader)).status_code == 200


async def test_a_map_far_from_every_airport_needs_one_named(database, tmp_path):
    (tmp_path / "levels.txt").write_text("level_id,level_index\n")
    (tmp_path / "stops.txt").write_text("stop_id,stop_lat,stop_lon\na,0.0,-30.0\nb,0.001,-30.0\n")
    (tmp_path / "pathways.txt").write_text(
        "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional\nw,a,b,1,1\n"
    )
    with pytest.raises(UnusableInputError, match="--airport"):
        await import_places(database, tmp_path)
    kept, *refused = await import_places(database, tmp_path, "lfbo")
    assert (kept.airport, kept.ways, refused) == ("TLS", 2, [])


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path))


@pytest.mark.skipif(not GTFS.exists(), reason="needs shared data: gtfs_pathways")
@pytest.mark.usefixtures("own_folder")
def test_the_command_imports_real_stations_and_names_what_dangles(capsys):
    assert main(["import", "places", str(GTFS), "--json"]) == 1
    kept, refused = map(json.loads, capsys.readouterr().out.splitlines())
    assert (kept["airport"], kept["version"], kept["ways"]) == ("BOS", 1, 1870)
    assert "to 'node-dwnxg-concourse'" in refused["error"]


@pytest.mark.usefixtures("own_folder")
def test_the_command_names_what_it_cannot_use(tmp_path, capsys):
    (tmp_path / "gtfs").mkdir()
    (tmp_path / "gtfs" / "stops.txt").write_text("stop_id\n")
    assert main(["import", "places", "gtfs", "--json"]) == 2
    printed = capsys.readouterr()
    assert "pathways.txt is missing" in printed.err
    assert "pathways.txt is missing" in json.loads(printed.out)["error"]
    assert main(["import", "places", str(AIRPORT)]) == 0
    assert capsys.readouterr().out == "TLS version 1: 5 places, 9 ways, 2 levels\n"


@pytest.mark.usefixtures("own_folder")
def test_the_command_finds_the_way_of_each_pair_and_names_wrong_ones(tmp_path, capsys):
    pairs = tmp_path / "pairs.jsonl"
    lines = [
        {"from": "reclaim-4", "to": "gate-B12", "profile": "default"},
        {"from": "gate-B12", "to": "landside"},
        {"from": "reclaim-4", "to": "gate-B12", "profile": "skates"},
        {"from": "reclaim-4", "to": "moon"},
    ]
    pairs.write_text("\n".join(map(json.dumps, lines)) + "\n{oops\n")
    asked = ["routes", "--places", str(AIRPORT), "--pairs", str(pairs)]
    assert main([*asked, "--json"]) == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(found) == 5
    assert found[0]["seconds"] == pytest.approx(60 / 1.33 + 18 + 120 / 1.33, abs=0.1)
    assert len(found[0]["steps"]) == 3
    assert (found[1]["seconds"], found[1]["unreachable"]["reason"]) == (None, "apart")
    assert "profile 'skates': expected one of default" in found[2]["error"]
    assert "to 'moon': expected a place of the map" in found[3]["error"]
    assert found[4]["input"] == "{oops"
    pairs.write_text(json.dumps(lines[0]))
    assert main([*asked, "--closed", "C"]) == 0
    assert "Take the stairs up" in capsys.readouterr().out
    assert main([*asked, "--closed", "lift-X"]) == 2
    assert main(["routes", "--places", str(tmp_path), "--pairs", str(pairs)]) == 2
    assert main(["routes", "--places", str(AIRPORT), "--pairs", "none.jsonl"]) == 2
    told = capsys.readouterr().err
    assert "lift-X" in told
    assert "neither GTFS" in told
    assert "none.jsonl cannot be read" in told
