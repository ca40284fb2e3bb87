"""What many ask at once is asked of the database once, and kept for a second."""

import asyncio

import pytest
from aerocast_hub import recent
from aerocast_hub.recent import Recent, Together


@pytest.fixture(autouse=True)
def a_long_second(monkeypatch):
    """No answer is too old unless the test says so."""
    for name in ("KEPT_S", "FORMER_S"):
        monkeypatch.setattr(recent, name, 3600.0)


class Source:
    """Answers with the number of the question, once it is let."""

    def __init__(self):
        self.asked = []
        self.lets = asyncio.Event()
        self.lets.set()

    async def __call__(self, key):
        self.asked.append(key)
        await self.lets.wait()
        if key == "broken":
            raise OSError("no database")
        return None if key == "unknown" else f"{key} {len(self.asked)}"


async def test_many_who_ask_at_once_ask_once():
    source = Source()
    source.lets.clear()
    answers = Recent(source)
    waiting = [asyncio.create_task(answers.get("LFBO")) for _ in range(50)]
    await asyncio.sleep(0)
    source.lets.set()
    assert set(await asyncio.gather(*waiting)) == {"LFBO 1"}
    assert await answers.get("LFBO") == "LFBO 1"
    assert source.asked == ["LFBO"]


async def test_one_who_goes_away_does_not_take_the_answer_from_the_others():
    source = Source()
    source.lets.clear()
    answers = Recent(source)
    leaves, stays = (asyncio.create_task(answers.get("LFBO")) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    source.lets.set()
    assert await stays == "LFBO 1"


async def test_after_a_second_the_answer_is_new_and_the_former_one_serves_only_where_it_may(
    monkeypatch,
):
    source = Source()
    waits, serves = Recent(source), Recent(source, serves_former=True)
    assert [await waits.get("a"), await serves.get("b")] == ["a 1", "b 2"]
    monkeypatch.setattr(recent, "KEPT_S", 0.0)
    assert await waits.get("a") == "a 3"
    assert await serves.get("b") == "b 2"
    await asyncio.sleep(0)
    monkeypatch.setattr(recent, "KEPT_S", 3600.0)
    await asyncio.sleep(0)
    assert await serves.get("b") == "b 4"


async def test_what_could_not_be_asked_is_not_kept():
    source = Source()
    answers = Recent(source)
    for _ in range(2):
        with pytest.raises(OSError, match="no database"):
            await answers.get("broken")
    assert source.asked == ["broken", "broken"]
    assert [await answers.get("unknown"), await answers.get("unknown")] == [None, None]
    assert source.asked == ["broken", "broken", "unknown"]


async def test_what_is_no_longer_true_is_forgotten_even_while_it_is_on_its_way():
    source = Source()
    answers = Recent(source)
    await answers.get("a")
    await answers.get("b")
    source.lets.clear()
    coming = asyncio.create_task(answers.get("c"))
    await asyncio.sleep(0)
    answers.forget(lambda _, value: value == "b 2")
    source.lets.set()
    assert await coming == "c 3"
    assert [await answers.get(each) for each in "abc"] == ["a 1", "b 4", "c 5"]


async def test_only_so_many_answers_are_kept(monkeypatch):
    monkeypatch.setattr(recent, "MOST_KEPT", 10)
    source = Source()
    answers = Recent(source)
    for number in range(30):
        await answers.get(number)
    await answers.get(29)
    assert len(source.asked) == 30
    await answers.get(0)
    assert len(source.asked) == 31


async def test_what_is_asked_meanwhile_is_asked_at_one_go():
    source, together = Source(), []
    source.lets.clear()

    async def ask_all(keys):
        together.append(keys)
        return {key: await source(key) for key in keys}

    answers = Recent(Together(ask_all, most=3))
    waiting = [asyncio.create_task(answers.get(key)) for key in "abcde"]
    await asyncio.sleep(0.01)
    later = asyncio.create_task(answers.get("f"))
    await asyncio.sleep(0.01)
    source.lets.set()
    await asyncio.gather(later, *waiting)
    assert [len(each) for each in together] in ([1, 3, 2], [3, 3])
    assert sorted(source.asked) == list("abcdef")
    assert await answers.get("a") == await waiting[0]


async def test_when_asking_at_one_go_fails_each_is_told_and_the_next_asks_anew():
    source = Source()

    async def ask_all(keys):
        return {key: await source(key) for key in keys}

    answers = Recent(Together(ask_all, most=10))
    both = await asyncio.gather(answers.get("broken"), answers.get("b"), return_exceptions=True)
    assert isinstance(both[0], OSError)
    assert await answers.get("c") == f"c {len(source.asked)}"
