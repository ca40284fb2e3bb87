import re
from pathlib import Path
from typing import get_args

import aerocast_hub.orientation
import pytest
from aerocast_hub.baggage.journey import State
from aerocast_hub.orientation.wording import LANGUAGES, catalogue, choose_language, gaps, say
from aerocast_hub.weather.ramp import RampReason

AT = 1_720_253_100_000_000  # 2024-07-06 08:05 UTC


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_sentences_with_the_same_gaps(language):
    english, other = catalogue("en"), catalogue(language)
    assert set(english) == set(other)
    for key, forms in other.items():
        assert gaps(forms.one) == gaps(forms.other) == gaps(english[key].other), key
        assert forms.other[-1] in ".!?", key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_a_bag_and_the_ramp_has_its_sentence(language):
    assert {f"bag_{state}" for state in get_args(State)} <= set(catalogue(language))
    assert {f"ramp_{reason}" for reason in get_args(RampReason)} <= set(catalogue(language))


@pytest.mark.parametrize("reason", get_args(RampReason))
def test_a_ramps_sentence_asks_only_for_what_its_judgement_knows(reason):
    known = set() if reason == "no_report" else {"at"}
    if reason in ("wind_closed", "wind_caution"):
        known.add("wind_kt")
    assert gaps(catalogue("en")[f"ramp_{reason}"].other) <= known


def test_every_sentence_is_used():
    source = Path(aerocast_hub.orientation.__file__).with_name("guidance.py").read_text()
    literal = set(re.findall(r'"([a-z_]+)"', source))
    literal |= {f"{key}_{more}" for key in literal for more in ("level", "walk", "lift")}
    unused = {
        key
        for key in catalogue("en")
        if key not in literal and not key.startswith(("bag_", "ramp_", "way_", "no_way"))
    }
    assert unused == set()


def test_numbers_choose_the_form_of_each_language():
    def first(language, minutes):
        return say(language, "first_bags_no_belt", {"minutes": minutes})

    assert first("en", 1) == "First bags in about 1 minute."
    assert first("en", 0) == "First bags in about 0 minutes."
    assert first("fr", 0) == "Premiers bagages dans environ 0 minute."
    assert first("fr", 6) == "Premiers bagages dans environ 6 minutes."


def test_instants_are_local_time_and_utc_says_so():
    values = {"at_us": AT}
    assert say("en", "why_on_block", values, "Europe/Paris").endswith("at 10:05.")
    assert say("en", "why_on_block", values).endswith("at 08:05 UTC.")
    assert say("en", "why_on_block", values, "Nowhere/None").endswith("at 08:05 UTC.")


def test_a_sentence_nobody_wrote_is_an_error():
    with pytest.raises(KeyError):
        say("en", "no_such_sentence", {})
    with pytest.raises(KeyError):
        say("en", "go_to_gate", {})


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("fr", "fr"),
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("de, en;q=0.5, fr;q=0.7", "fr"),
        ("fr;q=0", "en"),
        ("xx;q=oops,fr;q=oops", "en"),
        ("*", "en"),
    ],
)
def test_the_language_asked_for_is_given_when_there_is_one(asked, language):
    assert choose_language(asked) == language
