"""Bags that pass, bags nobody could read, tags that stay: what belts make of reads."""

import msgspec
from aerocast_agent.config import Belt
from aerocast_agent.passages import MOST_TAGS, MOST_WAITING, SECOND_NS, Passages
from aerocast_protocols.epc.bag_tag import BagTag, encode_bag_tag
from aerocast_protocols.observations import BagPassage, GpioEdge, PositionFix, TagRead, UnreadBag
from hypothesis import given, settings
from hypothesis import strategies as st

BELT_4 = Belt(
    name="belt-4",
    point="sortation",
    antennas=("portal-4:1", "portal-4:2"),
    siblings=("belt-5",),
    speed_mps=1.5,
    field_m=1.5,
    photo_eye="portal-4:gpi1",
)
BELT_5 = Belt(name="belt-5", point="sortation", antennas=("portal-5:1",), siblings=("belt-4",))
BAG = encode_bag_tag(BagTag("0074123456", 204))
SHIRT = bytes.fromhex("3034257bf7194e4000001a85")


def read(at_s, device="portal-4", rssi_dbm=-50.0, epc=BAG, antenna=1, pc=None):
    return TagRead(
        device=device,
        boot_ns=round(at_s * SECOND_NS),
        epc=epc,
        antenna=antenna,
        rssi_dbm=rssi_dbm,
        pc=pc,
    )


def edge(at_s, level):
    return GpioEdge(device="portal-4", boot_ns=round(at_s * SECOND_NS), pin=1, level=level)


def play(observations, belts=(BELT_4, BELT_5), until_s=1000.0):
    passages = Passages(belts)
    found = [each for observation in observations for each in passages.add(observation)]
    return found + passages.advance(round(until_s * SECOND_NS)), passages


def pass_by(at_s, device="portal-4", peak_dbm=-45.0, epc=BAG):
    """Give the reads of a bag in the middle of the antennas at ``at_s``."""
    return [
        read(at_s + step / 20, device, peak_dbm - 0.2 * step**2, epc) for step in range(-10, 11)
    ]


def test_a_bag_passes_the_belt_that_reads_it_strongest_at_its_peak():
    heard = sorted(pass_by(10.0) + pass_by(10.3, "portal-5", -55.0), key=lambda each: each.boot_ns)
    (passage,), _ = play(heard)
    assert isinstance(passage, BagPassage)
    assert (passage.belt, passage.point, passage.device) == ("belt-4", "sortation", "portal-4")
    assert (passage.licence_plate, passage.day_of_year) == ("0074123456", 204)
    assert abs(passage.boot_ns - 10 * SECOND_NS) < 1_000_000
    assert not passage.ambiguous
    assert passage.reads == 21


def test_belts_that_read_a_bag_alike_are_both_named():
    heard = sorted(pass_by(10.0) + pass_by(10.0, "portal-5", -46.0), key=lambda each: each.boot_ns)
    (passage,), _ = play(heard, belts=(msgspec.structs.replace(BELT_4, photo_eye=None), BELT_5))
    assert passage.ambiguous
    assert passage.candidates == ("belt-4", "belt-5")
    assert passage.confidence <= 0.5


def test_a_passage_is_told_soon_after_the_bag_is_gone_and_not_before():
    passages = Passages([BELT_4, BELT_5])
    told = [each for observation in pass_by(10.0) for each in passages.add(observation)]
    assert told == []
    assert passages.advance(round(11.0 * SECOND_NS)) == []
    assert len(passages.advance(round(12.6 * SECOND_NS))) == 1


def test_shop_tags_and_broken_bag_tags_are_counted_and_never_told():
    broken = bytes.fromhex("0c210502201a34562202001f")
    found, passages = play(pass_by(10.0, epc=SHIRT) + pass_by(20.0, epc=broken))
    assert found == []
    assert passages.foreign == 42


def test_a_bag_tag_under_another_family_is_no_bag():
    found, passages = play([read(10.0, pc=0x3507), read(10.1, pc=0x3507)])
    assert (found, passages.foreign) == ([], 2)


def test_a_tag_that_stays_is_parked_and_stays_so():
    stays = [read(step / 5) for step in range(200)] + [read(55.0), read(55.1)]
    found, passages = play(stays)
    assert (found, passages.parked) == ([], 1)


def test_a_bag_that_comes_round_again_passes_twice():
    found, _ = play(pass_by(10.0) + pass_by(90.0))
    assert [round(each.boot_ns / SECOND_NS) for each in found] == [10, 90]


def test_reads_without_rssi_still_make_a_passage():
    (passage,), _ = play([read(10 + step / 10, rssi_dbm=None) for step in range(5)])
    assert passage.peak_rssi_dbm is None
    assert abs(passage.boot_ns - 10.2 * SECOND_NS) < 1_000_000


def test_a_bag_whose_tag_nobody_could_read_is_told():
    found, _ = play([edge(10.0, 1), edge(10.4, 0), *pass_by(20.0)])
    assert [type(each) for each in found] == [UnreadBag, BagPassage]
    assert found[0] == UnreadBag(
        device="portal-4", boot_ns=round(10.2 * SECOND_NS), belt="belt-4", point="sortation"
    )


def test_a_bag_that_was_read_and_flutter_of_the_beam_are_no_unread_bags():
    seen = [*pass_by(10.0), edge(9.8, 1), edge(10.2, 0), edge(30.0, 1), edge(30.03, 0)]
    found, _ = play(sorted(seen, key=lambda each: each.boot_ns))
    assert [type(each) for each in found] == [BagPassage]


def test_antennas_and_observations_that_belong_to_no_belt_are_left_alone():
    found, passages = play([read(10.0, device="desk"), PositionFix(device="g", boot_ns=0, mode=1)])
    assert (found, passages.foreign, passages.late) == ([], 0, 0)


def test_observations_that_come_too_late_are_counted():
    found, passages = play([*pass_by(10.0), read(50.0, epc=SHIRT), read(10.0)])
    assert (len(found), passages.late) == (1, 1)


def test_memory_stays_bounded_whatever_comes():
    passages = Passages([BELT_4, BELT_5])
    for number in range(2 * MOST_WAITING):
        passages.add(read(number / 1e5, epc=number.to_bytes(12, "big")))
    assert len(passages._waiting) <= MOST_WAITING + 1
    assert len(passages._tags) <= MOST_TAGS


MOMENTS = st.lists(
    st.tuples(
        st.integers(0, 600),
        st.sampled_from(["portal-4", "portal-5"]),
        st.integers(-70, -40),
        st.sampled_from([BAG, encode_bag_tag(BagTag("0220123456", 1)), SHIRT]),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(MOMENTS, st.lists(st.integers(0, 400), max_size=12), st.randoms(use_true_random=False))
def test_neither_order_within_tolerance_nor_repetition_changes_what_is_told(moments, beams, chance):
    seen = [read(at / 20, device, rssi, epc) for at, device, rssi, epc in moments]
    seen += [edge(at / 13, number % 2 == 0) for number, at in enumerate(sorted(beams))]
    straight = sorted(seen, key=lambda each: each.boot_ns)
    jumbled = sorted(
        seen + chance.sample(seen, len(seen) // 2),
        key=lambda each: each.boot_ns + chance.randrange(SECOND_NS // 2),
    )
    in_order, _ = play(straight)
    out_of_order, late = play(jumbled)
    assert late.late == 0
    assert sorted(map(repr, in_order)) == sorted(map(repr, out_of_order))
