import re
from pathlib import Path
from typing import get_args

import aerocast_hub.orientation
import msgspec
import pytest
from aerocast_hub.baggage.journey import State
from aerocast_hub.orientation.connection import CauseKey
from aerocast_hub.orientation.guidance import NOT_TOLD
from aerocast_hub.orientation.profiles import PROFILES
from aerocast_hub.orientation.wording import (
    LANGUAGES,
    Message,
    Name,
    catalogue,
    choose_language,
    say,
    tell_span,
)
from aerocast_hub.orientation.wording.patterns import Gap, PatternError, gaps_of
from aerocast_hub.weather.ramp import RampReason
from aerocast_hub.web.labels import LABELS
from hypothesis import given, settings
from hypothesis import strategies as st
from icu4py.messageformat import MessageFormat

AT = 1_720_253_100_000_000  # 2024-07-06 08:05 UTC, a Saturday
NEXT_DAY = AT + 86_400_000_000
MOST_COUNTED = 1000  # minutes and bags: languages' forms for millions are never needed

ALL_FORMS = "{n, plural, zero {zero} one {one} two {two} few {few} many {many} other {other}}"


def forms_of(language):
    """Give the plural forms CLDR has for the whole numbers people are told."""
    form = MessageFormat(ALL_FORMS, language)
    return {form.format({"n": number}) for number in range(MOST_COUNTED)}


def shape(gaps):
    """Give what has to be the same in every language: names, kinds, words chosen from."""
    return {
        name: (gap.kind, gap.forms if gap.kind == "select" else None) for name, gap in gaps.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_sentences_with_the_same_gaps(language):
    english, other = catalogue("en").sentences, catalogue(language).sentences
    assert set(english) == set(other)
    for key, message in other.items():
        assert shape(message.gaps) == shape(english[key].gaps), key
        assert key.startswith("clock") or message.pattern[-1] in ".!?}", key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_count_has_all_the_forms_its_language_needs_and_no_other(language):
    needed = forms_of(language)
    assert len(forms_of("ar")) == 6
    for key, message in catalogue(language).sentences.items():
        for name, gap in message.gaps.items():
            if gap.kind == "plural":
                assert {each for each in gap.forms if each[0] != "="} == needed, (key, name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_have_the_same_words_in_every_language(language):
    english, other = catalogue("en").page, catalogue(language).page
    assert set(english) == set(other)
    for key, words in other.items():
        if isinstance(words, dict):
            assert set(words) == set(english[key]), key
            assert all(words.values()), key
        assert words, key
    assert set(LABELS[language].states) >= set(get_args(State))
    assert set(LABELS[language].profiles) == set(PROFILES)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_nothing_was_left_in_english(language):
    english, other = catalogue("en"), catalogue(language)
    same = {
        key
        for key, message in other.sentences.items()
        if message.pattern == english.sentences[key].pattern
    }
    assert {key for key in same if not key.startswith("clock")} == set()
    same_words = {key for key, words in other.page.items() if words == english.page[key]}
    assert same_words <= {"direction", "gate"}  # German says Gate


def test_pages_labels_that_are_missing_or_unknown_are_named():
    page = dict(catalogue("en").page)
    with pytest.raises(msgspec.ValidationError, match="no_such_label"):
        msgspec.convert({**page, "no_such_label": "x"}, type(LABELS["en"]))
    del page["gate"]
    with pytest.raises(msgspec.ValidationError, match="gate"):
        msgspec.convert(page, type(LABELS["en"]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_a_bag_and_the_ramp_has_its_sentence(language):
    keys = set(catalogue(language).sentences)
    assert {f"bag_{state}" for state in get_args(State)} <= keys
    assert {f"ramp_{reason}" for reason in get_args(RampReason)} <= keys


@pytest.mark.parametrize("reason", get_args(RampReason))
def test_a_ramps_sentence_asks_only_for_what_its_judgement_knows(reason):
    known = set() if reason == "no_report" else {"at"}
    if reason in ("wind_closed", "wind_caution"):
        known.add("wind_kt")
    assert set(catalogue("en").sentences[f"ramp_{reason}"].gaps) <= known


def test_every_sentence_is_used():
    folder = Path(aerocast_hub.orientation.__file__).with_name("guidance")
    source = "".join(each.read_text() for each in folder.glob("*.py"))
    literal = set(re.findall(r'"([a-z_]+)"', source))
    endings = ("level", "walk", "lift", "no_belt", "no_time", "connecting")
    literal |= {f"{key}_{more}" for key in literal for more in endings}
    literal |= {f"bag_{state}" for state in get_args(State)}
    literal |= {f"ramp_{reason}" for reason in (*get_args(RampReason), NOT_TOLD)}
    literal |= {f"cause_{key}" for key in get_args(CauseKey)}
    ways = ("way_", "no_way", "clock")  # tested with directions, and with times
    unused = set(catalogue("en").sentences) - literal
    assert {key for key in unused if not key.startswith(ways)} == set()


def first(language, minutes):
    return say(language, "first_bags_no_belt", {"minutes": minutes})


def test_numbers_choose_the_form_of_each_language():
    assert first("en", 1) == "First bags in about 1 minute."
    assert first("en", 0) == "First bags in about 0 minutes."
    assert first("fr", 0) == "Premiers bagages dans environ 0 minute."
    assert first("fr", 6) == "Premiers bagages dans environ 6 minutes."
    assert first("de", 1) == "Erstes Gepäck in etwa 1 Minute."
    assert first("es", 2) == "Primeras maletas en 2 minutos aproximadamente."


def test_arabic_counts_in_six_forms_with_the_digits_of_signs():
    told = [first("ar", minutes) for minutes in (0, 1, 2, 3, 11, 100)]
    assert len({re.sub(r"\d+", "", each) for each in told}) == 5  # a hundred counts like eleven
    assert "دقيقتين" in told[2]
    assert "3 دقائق" in told[3]
    assert "11 دقيقة" in told[4]


def test_what_is_filled_into_arabic_keeps_its_own_order():
    said = say("ar", "go_to_gate", {"gate": "B12"})
    assert "\u2068B12\u2069" in said
    assert "\u2068" not in say("en", "go_to_gate", {"gate": "B12"})


def test_instants_are_local_time_and_utc_says_so():
    values = {"at_us": AT}
    assert say("en", "why_on_block", values, "Europe/Paris").endswith("at 10:05.")
    assert say("en", "why_on_block", values).endswith("at 08:05 UTC.")
    assert say("en", "why_on_block", values, "Nowhere/None").endswith("at 08:05 UTC.")
    assert say("de", "why_on_block", values, "Europe/Paris").endswith("um 10:05 Uhr erreicht.")


def test_a_time_of_another_day_names_the_day_of_the_place():
    def told(now_us, zone, language="en"):
        return say(language, "step_leaves_at", {"at_us": AT}, zone, now_us)

    assert told(AT, "Europe/Paris").endswith("at 10:05.")
    assert told(NEXT_DAY, "Europe/Paris").endswith("at 10:05, Saturday.")
    assert told(NEXT_DAY, None).endswith("at 08:05 UTC, Saturday.")
    assert told(NEXT_DAY, "Europe/Paris", "fr").endswith("à 10:05, samedi.")
    late = AT + 16 * 3_600_000_000  # past midnight in Paris, still the same day in New York
    assert told(late, "Europe/Paris").endswith("Saturday.")
    assert told(late, "America/New_York").endswith("at 04:05.")


def test_a_span_names_its_day_once():
    def told(from_us, to_us, language="en"):
        values = {"from_us": from_us, "to_us": to_us}
        return say(language, "step_first_window", values, "Europe/Paris", AT)

    minutes = 60_000_000
    assert told(AT, AT + 8 * minutes).endswith("between 10:05 and 10:13.")
    assert told(NEXT_DAY, NEXT_DAY + 8 * minutes).endswith("between 10:05 and 10:13, Sunday.")
    late = AT + 13 * 60 * minutes
    assert told(late, late + 75 * minutes).endswith("between 23:05 and 00:20, Sunday.")
    nights = (NEXT_DAY + 13 * 60 * minutes, NEXT_DAY + 15 * 60 * minutes)
    assert told(*nights).endswith("between 23:05, Sunday and 01:05, Monday.")
    assert tell_span("en", NEXT_DAY, NEXT_DAY, None, AT) == ("08:05 UTC, Sunday",) * 2


def test_a_sentence_nobody_wrote_is_an_error():
    with pytest.raises(KeyError):
        say("en", "no_such_sentence", {})
    with pytest.raises(KeyError, match="gate"):
        say("en", "go_to_gate", {})
    with pytest.raises(KeyError):
        say("tlh", "go_to_gate", {"gate": "B12"})


def test_names_are_told_in_the_readers_language():
    place = Name("Gate B12", {"fr": "Porte B12"})
    assert say("fr", "way_walk_to", {"place": place}).endswith("Porte B12.")
    assert say("de", "way_walk_to", {"place": place}).endswith("Gate B12.")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("To {belt", "is missing"),
        ("To belt}", "a brace too many"),
        ("To {}", "no name of a gap"),
        ("{n, plural, one {# bag}}", "'other' is missing"),
        ("{n, plural, wun {# bag} other {# bags}}", "'wun' is no plural form"),
        ("{n, plural, one {# bag other {# bags}}", "no name of a gap"),
        ("{n, plural, one {# bag} one {#} other {# bags}}", "stands twice"),
        ("{n, plural, one {# bag} other {# bags}", "stands twice|is missing|has no name"),
        ("{n, date, short}", "'date' is no kind of gap"),
        ("l'ascenseur {lift}", "write \u2019"),
        ("{n, plural, one {a} other {b}} {n, plural, two {c} other {d}}", "two places"),
    ],
)
def test_a_message_that_cannot_be_read_says_what_is_wrong(pattern, message):
    with pytest.raises(PatternError, match=message):
        gaps_of(pattern)


def test_gaps_within_forms_are_found():
    pattern = "{n, plural, =0 {no bag at {belt}} one {# bag} other {# of {n} bags}}"
    pattern += "{a, select, x {y} other {}}"
    assert gaps_of(pattern) == {
        "n": Gap("plural", frozenset({"=0", "one", "other"})),
        "belt": Gap("plain"),
        "a": Gap("select", frozenset({"x", "other"})),
    }


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="{}, abnpluraselcot#=0'\u2019", max_size=60))
def test_any_text_is_read_as_icu_reads_it_or_refused(text):
    try:
        gaps = gaps_of(text)
    except PatternError:
        return
    values = {name: 1 if gap.kind == "plural" else "x" for name, gap in gaps.items()}
    assert "{" not in Message(text, "en").fill(values)


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("fr", "fr"),
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("pt, en;q=0.5, fr;q=0.7", "fr"),
        ("ar-EG,ar;q=0.9,en;q=0.8", "ar"),
        ("de-AT", "de"),
        ("fr;q=0", "en"),
        ("xx;q=oops,fr;q=oops", "en"),
        ("*", "en"),
    ],
)
def test_the_language_asked_for_is_given_when_there_is_one(asked, language):
    assert choose_language(asked) == language
