"""A plate that is known, with a wrong name, cannot be told from one nobody has heard of."""

import json
import os
import time

import httpx
import pytest
from aerocast_hub.app import create_app
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.settings import SERVICES, load_settings

PLATES = 5_000 if os.environ.get("AEROCAST_SOAK") == "1" else 60


@pytest.fixture
def engine_kind():
    return "sqlite"


@pytest.mark.soak
@pytest.mark.timeout(3600 if PLATES > 100 else 180)
async def test_wrong_names_and_unknown_plates_get_one_answer_to_the_byte(
    database, database_url, tmp_path
):
    legs = {"flight": "AF6120", "from": "CDG", "to": "TLS", "surname": "Muellerin"}
    legs["flight_date"] = time.strftime("%Y-%m-%d", time.gmtime())
    known = [f"0220{number:06d}" for number in range(PLATES)]
    unknown = [f"0057{number:06d}" for number in range(PLATES)]
    bags = [json.dumps(legs | {"licence_plate": each, "passenger": each}) for each in known]
    (tmp_path / "bags.jsonl").write_text("\n".join(bags))
    await import_bags(database, tmp_path / "bags.jsonl")
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:",
        tries_in="memory",
    )  # fmt: skip
    app = create_app(settings, SERVICES)
    answers = set()

    async def ask(number, plate, surname):
        # Each from an address of its own: how often somebody may try is another test's subject.
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            body = {"licence_plate": plate, "surname": surname}
            api = await client.post("/api/guidance/find", json=body)
            page = await client.post("/find", data=body | {"licence_plate": plate})
        hidden = page.text.replace(plate, "PLATE")
        return api.status_code, api.content, str(api.headers), page.status_code, hidden

    # Not in a test client: its event loop would be another, and connections belong to one.
    async with app.lifespan():
        for number, plates in enumerate(zip(known, unknown, strict=True)):
            for place, plate in enumerate(plates):
                answers.add(await ask(2 * number + place, plate, "Schmidt"))
        right = await ask(2 * PLATES, known[0], "Muellerin")
    assert right[0] == 200
    ((status, body, _, page_status, _),) = answers
    assert (status, page_status) == (404, 404)
    assert b"Muellerin" not in body
