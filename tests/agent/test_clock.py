"""The gateway's clock: what is known of it, and how far it is trusted."""

import time
from pathlib import Path

import pytest
from aerocast_agent import clock
from aerocast_agent.anchors import Anchors
from aerocast_agent.clock import Claim
from aerocast_agent.gps_time import GpsTime
from aerocast_agent.positions import FixReader, PositionReports

DATA = Path(__file__).parents[2].parent / "shared" / "data"
NOW_NS = 1_780_000_000_000_000_000
SECOND = 1_000_000_000


def test_a_clock_that_was_never_set_is_not_trusted():
    for wall_ns in (0, 1_000_000_000 * 10**9):  # 1970, 2001
        for hardware in (False, True):
            assert clock.judge(wall_ns, synchronised=True, hardware=hardware) == clock.UNSET


@pytest.mark.parametrize(
    ("synchronised", "hardware", "quality"),
    [
        (True, True, clock.NETWORK),
        (True, False, clock.NETWORK),
        (False, True, clock.HARDWARE),
        (False, False, clock.SAVED),
    ],
)
def test_a_set_clock_is_trusted_as_far_as_what_set_it(synchronised, hardware, quality):
    assert clock.judge(NOW_NS, synchronised=synchronised, hardware=hardware) == quality


def test_gps_is_believed_when_three_fixes_agree_and_the_earliest_heard_counts():
    gps = GpsTime()
    for second, late_ns in enumerate((400_000_000, 150_000_000, 300_000_000)):
        assert gps.wall_ns(second * SECOND) is None
        gps.hear(NOW_NS + second * SECOND, second * SECOND + late_ns)
    assert gps.wall_ns(10 * SECOND) == NOW_NS + 10 * SECOND - 150_000_000
    assert gps.wall_ns(2 * SECOND + 3_600 * SECOND) is not None
    assert gps.wall_ns(4_000 * SECOND) is None


def test_a_fix_that_contradicts_the_others_begins_anew():
    gps = GpsTime()
    for second in range(5):
        gps.hear(NOW_NS + second * SECOND, second * SECOND)
    gps.hear(NOW_NS + 3_600 * SECOND, 5 * SECOND)
    assert gps.wall_ns(5 * SECOND) is None


def claim(boot_s, wall_s, quality):
    return Claim(boot_s * SECOND, NOW_NS + wall_s * SECOND, quality, None)


def test_an_anchor_is_told_when_the_clock_gets_better_and_not_again():
    anchors = Anchors(bytes(16))
    assert anchors.look(claim(1, 1, clock.HARDWARE)) == []
    (anchor,) = anchors.look(claim(2, 2, clock.NETWORK))
    assert (anchor.wall_ns, anchor.boot_ns, anchor.source, anchor.quality) == (
        NOW_NS + 2 * SECOND,
        2 * SECOND,
        "ntp",
        3,
    )
    assert anchors.look(claim(3, 3, clock.NETWORK)) == []
    assert anchors.look(claim(4, 4, clock.HARDWARE)) == []
    (anchor,) = anchors.look(claim(5, 5, clock.GPS))
    assert (anchor.source, anchor.quality) == ("gps", 4)


def test_a_start_in_1970_is_put_right_by_the_first_trusted_time():
    anchors = Anchors(bytes(16))
    assert anchors.look(Claim(SECOND, SECOND, clock.UNSET, None)) == []
    step, anchor = anchors.look(claim(2, 2, clock.NETWORK))
    assert step.event == "clock_step"
    assert anchor.wall_ns - anchor.boot_ns == NOW_NS


def test_a_jump_of_the_wall_clock_is_told_and_anchored_anew_and_slewing_is_not():
    anchors = Anchors(bytes(16))
    anchors.look(claim(1, 1, clock.NETWORK))
    step, anchor = anchors.look(claim(2, 3602, clock.NETWORK))
    assert step.detail == "the wall clock moved by +3600.000 s"
    assert anchor.wall_ns == NOW_NS + 3602 * SECOND
    slewed = Claim(3 * SECOND, NOW_NS + 3603 * SECOND + 400_000_000, clock.NETWORK, None)
    assert anchors.look(slewed) == []


def test_a_receiver_whose_week_number_rolled_over_sets_no_clock():
    recording = DATA / "devices" / "gps" / "bu353s4.log"
    if not recording.exists():
        pytest.skip(f"shared/data is not here: {recording.name}")
    reader, reports = FixReader(), PositionReports("gps", clock.time_window)
    gps = GpsTime()
    fixes = []
    for number, line in enumerate(recording.read_bytes().splitlines(keepends=True)):
        for told in reader.feed(line):
            fix = reports.report(told, number * 200_000_000)
            if fix is None:
                continue
            fixes.append(fix)
            if fix.time_trusted:
                gps.hear(fix.fix_at_us * 1000, fix.boot_ns)
    assert any(fix.mode == 3 and fix.fix_at_us is not None for fix in fixes)
    assert not any(fix.time_trusted for fix in fixes)
    assert gps.wall_ns(fixes[-1].boot_ns) is None
    assert [fix.boot_ns for fix in fixes] == sorted(fix.boot_ns for fix in fixes)


def test_time_since_boot_runs_on():
    before_ns = clock.boot_ns()
    time.sleep(0.01)
    assert 0.01e9 <= clock.boot_ns() - before_ns < 60e9


def test_the_boot_has_a_name_of_16_bytes():
    assert len(clock.boot_id()) == 16
    assert clock.boot_id() == clock.boot_id()


def test_quality_is_one_of_the_wires():
    assert 0 <= clock.quality() <= 4
    error_ns = clock.error_ns()
    assert error_ns is None or error_ns >= 0
