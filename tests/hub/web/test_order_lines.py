"""Orders in a page's words: what a device said of itself, and what an agent sends instead."""

import json

import msgspec
import pytest
from aerocast_agent.driver import Fault, ProbeReport
from aerocast_agent.probing import judged
from aerocast_hub.gateways.ordering import state_of
from aerocast_hub.gateways.orders import Order
from aerocast_hub.web.order_lines import (
    LONGEST_FACT,
    LONGEST_TOLD,
    MOST_FACTS,
    MOST_FAULTS,
    order_line,
)
from hypothesis import given
from hypothesis import strategies as st

ASKED_US = 1_795_449_600_000_000


def line(verb="probe", output=None, error=None, device="portal", answered_us=ASKED_US + 2_500_000):
    answered_us = None if output is None and error is None else answered_us
    order = Order(
        id="o",
        verb=verb,
        device=device,
        state=state_of(ASKED_US + 1, answered_us, error, ASKED_US),
        asked_by="tess",
        asked_at_us=ASKED_US,
        expires_at_us=ASKED_US + 1,
        answered_at_us=answered_us,
        output=output,
        error=error,
    )
    return order_line(order)


def probed(**report):
    """Give the answer of a real agent to ``probe``."""
    return msgspec.json.encode(judged("portal", ProbeReport(**report), None)).decode()


def test_a_probe_without_fault_shows_what_the_device_says_of_itself():
    shown = line(output=probed(says={"model": "R700", "temperature_c": 41.5, "is_on": True},
                               antennas={1: True}))  # fmt: skip
    assert (shown.what, shown.state, shown.tone, shown.took_s) == (
        "Probe portal",
        "done",
        "good",
        2.5,
    )
    assert shown.facts == (
        ("model", "R700"),
        ("temperature", "41.5\u202f°C"),
        ("is on", "yes"),
        ("antenna 1", "there"),
    )
    assert (shown.told, shown.faults) == (None, ())


def test_a_probe_with_faults_shows_each_and_what_mends_it():
    fault = Fault(found="no answer within 20 s", mend="see that it has power")
    shown = line(output=probed(antennas={1: True, 2: False}, faults=(fault,)))
    assert (shown.state, shown.tone) == ("done, 2 faults found", "warn")
    assert [each.found for each in shown.faults] == [
        "no answer within 20 s",
        "antenna 2 is not connected",
    ]
    assert shown.faults[0].mend == "see that it has power"
    assert ("antenna 2", "not connected") in shown.facts
    assert line(output=probed(faults=(fault,))).state == "done, 1 fault found"


def test_a_device_that_cannot_tell_of_itself_is_no_empty_answer():
    assert line(output=probed()).told == "It says nothing of itself; no fault shows."


def test_an_order_without_an_answer_or_with_an_error_says_so():
    assert (line(verb="ping", device=None).what, line().state, line().took_s) == (
        "Ping",
        "waiting",
        None,
    )
    failed = line(verb="restart_device", error="no device 'portal' in agent.toml")
    assert (failed.what, failed.state, failed.tone) == ("Restart portal", "failed", "alarm")
    assert failed.told == "no device 'portal' in agent.toml"
    assert line(error="no device").tone == "alarm"
    late = line(verb="a_newer_verb", device=None, output="x" * 5000)
    assert (late.what, len(late.told)) == ("a_newer_verb", LONGEST_TOLD)


@given(st.text(max_size=300) | st.builds(json.dumps, st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["says", "antennas", "faults", "found", "x"]), inner),
    max_leaves=12,
)))  # fmt: skip
def test_whatever_a_gateway_answers_is_shown_within_bounds(output):
    shown = line(output=output)
    assert len(shown.told or "") <= LONGEST_TOLD
    assert shown.tone in {"good", "warn"}


@pytest.mark.parametrize(
    "value", ["9" * 400, "-" + "9" * 4300, "9" * 5000, "1e400", '"\\ud800"', "NaN", "null", "[]"]
)
def test_a_value_that_is_none_breaks_no_page(value):
    shown = line(output=f'{{"says": {{"temperature_c": {value}}}}}')
    assert all(len(fact) <= LONGEST_FACT for _, fact in shown.facts)
    " ".join((shown.told or "", *(fact for _, fact in shown.facts))).encode()


def test_a_long_answer_is_cut_and_one_that_was_cut_on_its_way_stays_text():
    many = {f"fact_{n}": "x" * 200 for n in range(40)}
    faults = tuple(Fault(found=f"{n} " + "y" * 300, mend="z" * 300) for n in range(20))
    shown = line(output=probed(says=many, faults=faults))
    assert (len(shown.facts), len(shown.faults)) == (MOST_FACTS, MOST_FAULTS)
    assert shown.state == "done, 20 faults found"
    assert all(len(fact) <= LONGEST_FACT for pair in shown.facts for fact in pair)
    assert all(len(each.found) <= LONGEST_TOLD >= len(each.mend) for each in shown.faults)
    cut = line(output=probed(says=many)[:1000])
    assert (cut.facts, len(cut.told)) == ((), LONGEST_TOLD)
