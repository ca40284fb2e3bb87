"""A device is brought to its profile wholly, or left as it was."""

import asyncio

import pytest
from aerocast_agent import adjusting
from aerocast_agent.adjusting import Adjusted, adjust, differences
from aerocast_protocols.errors import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = Adjusted(device="portal", profile="p")


class Device:
    """Keeps settings; some it takes without a word and does not keep, some it refuses."""

    name = "portal"

    def __init__(self, present, ignores=(), refuses=(), dies_after=None):
        self.present = dict(present)
        self.ignores, self.refuses, self.dies_after = ignores, refuses, dies_after
        self.writes = 0

    async def read_back(self):
        if self.dies_after is not None and self.writes >= self.dies_after:
            raise ConnectionResetError("it is gone")
        return dict(self.present)

    async def apply(self, settings):
        self.writes += 1
        for key, setting in settings.items():
            if key in self.refuses and setting != self.refuses[key]:
                raise ProtocolError(f"{key} is refused")
            if key not in self.ignores:
                self.present[key] = setting


async def test_what_differs_is_written_and_read_back():
    device = Device({"session": 0, "power_dbm": 27.0, "rf_mode": 3})
    done = await adjust(device, {"session": 1, "power_dbm": 27.4, "q": 4}, NAMES)
    assert [(each.key, each.device, each.profile) for each in done.differences] == [
        ("session", 0, 1)
    ]  # 27 dBm is its nearest step not above 27.4
    assert (done.applied, done.rolled_back, done.error) == (True, False, None)
    assert done.untold == ("q",)
    assert device.present == {"session": 1, "power_dbm": 27.0, "rf_mode": 3}


async def test_a_dry_run_writes_nothing():
    device = Device({"session": 0})
    told = await adjust(device, {"session": 1}, NAMES, dry_run=True)
    assert (len(told.differences), told.applied, device.writes) == (1, False, 0)
    same = await adjust(device, {"session": 0}, NAMES)
    assert (same.applied, device.writes) == (True, 0)


@pytest.mark.parametrize(
    ("device", "says"),
    [
        (Device({"a": 1, "b": 2}, ignores={"b"}), "b is 2 after 9 was written"),
        (Device({"a": 1, "b": 2}, refuses={"b": 2}), "b is refused"),
    ],
)
async def test_what_is_not_taken_undoes_the_rest(device, says):
    done = await adjust(device, {"a": 8, "b": 9}, NAMES)
    assert (done.applied, done.rolled_back) == (False, True)
    assert says in done.error
    assert device.present == {"a": 1, "b": 2}


async def test_a_device_that_goes_away_meanwhile_is_said_to_be_in_an_unknown_state():
    done = await adjust(Device({"a": 1}, dies_after=1), {"a": 2}, NAMES)
    assert (done.applied, done.rolled_back) == (False, False)
    assert "could not be put back: it is gone" in done.error


class Slow(Device):
    """Lets go of a connection only some time after it was closed."""

    async def read_back(self):
        if self.writes and not self.waited:
            self.waited = True
            raise ConnectionRefusedError("it serves another client")
        return await super().read_back()

    waited = False


async def test_a_device_that_has_not_yet_let_go_is_waited_for(monkeypatch):
    monkeypatch.setattr(adjusting, "BETWEEN_TRIES_S", 0.01)
    assert (await adjust(Slow({"a": 1}), {"a": 2}, NAMES)).applied


async def test_a_reader_of_another_region_is_left_alone():
    device = Device({"region": "fcc", "power_dbm": 20.0})
    done = await adjust(device, {"power_dbm": 30.0}, NAMES, region="etsi")
    assert (done.applied, device.writes) == (False, 0)
    assert "set to region fcc, the profile is for etsi" in done.error
    assert (await adjust(device, {"power_dbm": 30.0}, NAMES, region="fcc")).applied


@pytest.mark.parametrize(
    ("wanted", "present", "differ"),
    [
        ((1, 2), (2, 1), False),
        (("gps",), ("gps", "galileo"), True),
        (True, 1, True),
        (1.0, 1, False),
        ("a", "b", True),
    ],
)
def test_settings_are_compared_by_meaning(wanted, present, differ):
    assert bool(differences({"k": wanted}, {"k": present})) is differ


keys = st.sampled_from("abcdef")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(keys, st.integers(0, 3), min_size=1),
    st.dictionaries(keys, st.integers(0, 3)),
    st.sets(keys),
    st.sets(keys),
)
def test_a_device_is_never_left_half_changed(present, wanted, ignores, refuses):
    device = Device(present, ignores, {key: present.get(key) for key in refuses})
    done = asyncio.run(adjust(device, wanted, NAMES))
    if done.applied:
        assert all(device.present[key] == wanted[key] for key in wanted if key in present)
    else:
        assert done.rolled_back
        assert device.present == present
