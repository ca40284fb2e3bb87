"""Profiles of readers, and the orders drawn from them and from what a reader says it can do."""

import json

import msgspec
import pytest
from aerocast_agent.profile_files import (
    FOLDER,
    KINDS,
    ProfileError,
    find_profile,
    load_profile,
    profile_names,
    read_profile,
)
from aerocast_agent.profile_pages import FIELDS, SCHEMA, fields_page, schema
from aerocast_agent.profiles import ANY_READER, ReaderProfile, SdrProfile
from aerocast_agent.reader_order import config_for, doubts, rospec_for
from aerocast_protocols.llrp.capabilities import Capabilities
from aerocast_protocols.llrp.regulatory import HopTable
from aerocast_protocols.llrp.status import Status
from aerocast_simulator.llrp_answers import DEFAULT_CAPABILITIES

ETSI_READER = DEFAULT_CAPABILITIES
FCC_READER = msgspec.structs.replace(
    ETSI_READER,
    regulatory=msgspec.structs.replace(
        ETSI_READER.regulatory,
        communications_standard=1,
        hopping=True,
        hop_tables=(HopTable(5, (902_750, 903_250)),),
    ),
)
MADE = 'kind = "llrp"\nvendor = "Impinj"\n'
R700 = load_profile("impinj-r700-etsi", ReaderProfile)


def test_every_profile_that_comes_along_is_sound():
    assert "impinj-r700-etsi" in profile_names()
    for name in profile_names():
        assert find_profile(name).vendor


def test_schema_and_page_beside_the_profiles_are_current():
    assert (FOLDER / SCHEMA).read_text(encoding="utf-8") == schema(), "profiles schema > it"
    assert (FOLDER / FIELDS).read_text(encoding="utf-8") == fields_page(), "profiles fields > it"


def test_every_field_is_documented():
    parts = json.loads(schema())["$defs"]
    for kind in KINDS.values():
        for key, said in parts[kind.__name__]["properties"].items():
            if key != "kind":
                assert said["description"], f"{kind.__name__}.{key}"


def test_a_profile_is_for_one_kind_of_device():
    with pytest.raises(ProfileError, match="is for llrp devices, not for sdr"):
        load_profile("impinj-r700-etsi", SdrProfile)


def test_a_file_of_the_sites_own_is_read_by_its_path(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('kind = "llrp"\nvendor = "Impinj"\nmodel = "R700"\nsession = 2')
    assert load_profile(str(own), ReaderProfile).session == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MADE + 'model = "R700"\nsession = 7', r"mine.toml: .*`session`"),
        (MADE + 'model = "R700"\npower_dbw = 1', r"mine.toml: .*`power_dbw`"),
        (MADE, r"mine.toml: .*`model`"),
        ('kind = "llpr"', r"mine.toml: kind 'llpr': expected one of llrp, uhf_serial"),
        (
            MADE + 'model = "R700"\nregion = "etsi"\npower_dbm = 33\nantenna_gain_dbi = 6',
            r"mine.toml: power_dbm 33 .* radiates 36.85 dBm; ETSI EN 302 208 .* 29.15",
        ),
        ("vendor = ", r"mine.toml: "),
    ],
)
def test_a_mistake_in_a_profile_names_file_and_key(tmp_path, text, says):
    profile = tmp_path / "mine.toml"
    profile.write_text(text)
    with pytest.raises(ProfileError, match=says):
        read_profile(profile)


def test_a_profile_that_is_not_there_names_those_that_are():
    with pytest.raises(ProfileError, match="impinj-r700-etsi"):
        find_profile("../../secret")


def test_power_is_the_readers_strongest_step_that_the_profile_allows():
    (order,) = rospec_for(ETSI_READER, R700, extras=True).orders
    assert dict(ETSI_READER.regulatory.power_levels)[order.power_index] == 3000
    (order,) = rospec_for(
        ETSI_READER, msgspec.structs.replace(R700, power_dbm=27.1), extras=True
    ).orders
    assert dict(ETSI_READER.regulatory.power_levels)[order.power_index] == 2700
    (order,) = rospec_for(
        ETSI_READER, msgspec.structs.replace(R700, power_dbm=3.0), extras=True
    ).orders
    assert order.power_index == 1  # weaker than the reader can: its weakest


def test_hop_table_and_channel_are_the_readers_own():
    (fixed,) = rospec_for(ETSI_READER, R700, extras=True).orders
    american = msgspec.structs.replace(R700, region="fcc", power_dbm=29.0, antenna_gain_dbi=6.0)
    (hopping,) = rospec_for(FCC_READER, american, extras=True).orders
    assert (fixed.hop_table_id, fixed.channel_index) == (0, 1)
    assert (hopping.hop_table_id, hopping.channel_index) == (5, 0)


def test_what_the_reader_cannot_give_is_said_and_left_out():
    strange = msgspec.structs.replace(R700, rf_mode=4711, antennas=(1, 9))
    (order,) = rospec_for(FCC_READER, strange, extras=True).orders
    assert order.mode_id is None
    assert rospec_for(FCC_READER, strange, extras=True).antennas == (1,)
    assert [each.found for each in doubts(ETSI_READER, strange)] == [
        f"the reader has {ETSI_READER.general.max_antennas} antenna ports, not (1, 9)",
        "the reader has no RF mode 4711: its own is used",
    ]
    assert doubts(ETSI_READER, R700) == []


def test_a_profile_of_one_region_is_not_put_on_the_air_in_another():
    (order,) = rospec_for(FCC_READER, R700, extras=True).orders
    assert (order.power_index, order.hop_table_id, order.channels) == (None, 0, None)
    (doubt,) = doubts(FCC_READER, msgspec.structs.replace(R700, rf_mode=None))
    assert doubt.found == (
        "the profile is for region etsi, the reader is set to fcc: its own power and channels"
        " are used"
    )


def test_without_a_profile_radio_settings_stay_the_readers():
    rospec = rospec_for(ETSI_READER, ANY_READER, extras=False)
    (order,) = rospec.orders
    assert (order.power_index, order.mode_id, order.search_mode) == (None, None, None)
    assert rospec.antennas == (0,)
    assert not rospec.impinj_extras


def test_a_reader_that_says_next_to_nothing_still_gets_an_order():
    silent = Capabilities(status=Status(0))
    assert rospec_for(silent, R700, extras=False).antennas == (0,)
    assert config_for(silent, R700).hold_reports is None
    assert doubts(silent, R700) == []


def test_only_bag_tags_asks_for_their_family():
    only = msgspec.structs.replace(R700, only_bag_tags=True)
    ((tag_filter,),) = (
        order.filters for order in rospec_for(ETSI_READER, only, extras=True).orders
    )
    assert (tag_filter.pointer, tag_filter.mask) == (24, b"\xc1")


def test_the_same_order_has_the_same_id_and_another_has_another():
    first = rospec_for(ETSI_READER, R700, extras=True)
    assert first == rospec_for(ETSI_READER, R700, extras=True)
    other = rospec_for(ETSI_READER, msgspec.structs.replace(R700, session=1), extras=True)
    assert first.rospec_id != other.rospec_id
    assert 0 < first.rospec_id < 1 << 31
