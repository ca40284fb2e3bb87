"""Guessing surnames is held back, on the page and in the API alike."""

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.limiting.attempts import FINDS
from aerocast_hub.orientation.finding import digits_typed
from aerocast_hub.settings import load_settings
from litestar.testing import AsyncTestClient


@pytest.fixture
async def hub(database_url, tmp_path):
    settings = load_settings(mode="dev", database_url=database_url, data_dir=tmp_path)
    async with AsyncTestClient(create_app(settings, ["orientation"])) as client:
        yield client


@pytest.mark.parametrize("kind", ["json", "data"])
async def test_guessing_is_held_back_and_says_for_how_long(hub, kind):
    path = "/api/guidance/find" if kind == "json" else "/find"

    async def guess(n):
        tried = {"licence_plate": "0220 123456", "surname": f"Guess{n}"}
        return await hub.post(path, **{kind: tried})

    answers = [await guess(n) for n in range(FINDS.together + 2)]
    assert [each.status_code for each in answers] == [404] * FINDS.together + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 301


@pytest.mark.parametrize(
    "typed",
    [
        "0220123456",
        " 0220\u00a0123\t456 ",
        "0220-123456",
        "\u20660220 123456\u2069",  # copied from a page that is read from right to left
        "\u0660\u0662\u0662\u0660\u0661\u0662\u0663\u0664\u0665\u0666",
        "\u06f0\u06f2\u06f2\u06f0 \u06f1\u06f2\u06f3\u06f4\u06f5\u06f6",
    ],
)
def test_a_plate_may_be_typed_as_telephones_and_tags_write_it(typed):
    assert digits_typed(typed) == "0220123456"


async def test_however_a_plate_is_written_its_tries_count_together(hub):
    for number in range(FINDS.together):
        tried = {"licence_plate": "0220-123456" if number % 2 else "\u0660220123456"}
        await hub.post("/api/guidance/find", json=tried | {"surname": "Guess"})
    tried = {"licence_plate": "0220123456", "surname": "Guess"}
    assert (await hub.post("/api/guidance/find", json=tried)).status_code == 429


async def test_the_page_and_the_api_count_together(hub):
    tried = {"licence_plate": "0220123456", "surname": "Guess"}
    for _ in range(FINDS.together):
        await hub.post("/find", data=tried)
    assert (await hub.post("/api/guidance/find", json=tried)).status_code == 429


async def test_the_wait_is_said_in_the_passengers_language(hub):
    tried = {"licence_plate": "0220123456", "surname": "Guess"}
    for _ in range(FINDS.together):
        await hub.post("/find", data=tried)
    answer = await hub.post("/find", data=tried, headers={"accept-language": "fr-CA,fr;q=0.9"})
    assert '<html lang="fr" dir="ltr">' in answer.text
    assert "patienter" in answer.text
