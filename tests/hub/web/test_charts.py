"""Charts as geometry: everything in sight, round numbers, words for who cannot see."""

import pytest
from aerocast_hub.web.charts import Axis, chart
from hypothesis import given, settings
from hypothesis import strategies as st

HOURS = [(0.0, "now"), (3.0, "15:00"), (6.0, "18:00")]
AXIS = Axis("Temperature", "°C", HOURS)


def test_values_lie_between_round_numbers():
    drawn = chart(AXIS, {"observed": [(0.0, 2.3), (6.0, 7.9)]})
    assert [row.label for row in drawn.rows] == ["2\u202f°C", "4\u202f°C", "6\u202f°C", "8\u202f°C"]
    assert [tick.label for tick in drawn.columns] == ["now", "15:00", "18:00"]
    (curve,) = drawn.curves
    assert curve.dots[0].x == drawn.left
    assert curve.dots[1].x == drawn.right
    assert curve.dots[1].y < curve.dots[0].y
    assert drawn.words == "Temperature. observed: observed 2.3 °C, observed 7.9 °C"


def test_a_band_runs_out_along_its_top_and_back_along_its_bottom():
    drawn = chart(AXIS, {}, band=[(0.0, 1.0, 3.0), (6.0, 0.0, 4.0)])
    corners = [tuple(map(float, each.split(","))) for each in drawn.band.split()]
    assert [x for x, _ in corners] == [drawn.left, drawn.right, drawn.right, drawn.left]
    assert corners[1][1] == drawn.top
    assert corners[2][1] == drawn.bottom


def test_bars_stand_on_the_ground_and_apart():
    axis = Axis("Chance", "%", HOURS, 0.0, 1.0, percent=True)
    drawn = chart(axis, {}, bars=[(float(each), 0.5) for each in range(1, 7)])
    for one, other in zip(drawn.bars, drawn.bars[1:], strict=False):
        assert one.x + one.width < other.x
    assert all(bar.y + bar.height == pytest.approx(drawn.bottom) for bar in drawn.bars)
    assert drawn.bars[0].words == "50 %"
    assert [row.label for row in drawn.rows] == ["0\u202f%", "50\u202f%", "100\u202f%"]


def test_of_nothing_there_is_no_chart():
    assert chart(AXIS, {"observed": []}) is None


@given(st.lists(st.tuples(st.floats(0, 6), st.floats(-1e4, 1e4)), min_size=1, max_size=20))
@settings(max_examples=100)
def test_everything_is_in_sight(points):
    drawn = chart(AXIS, {"observed": points})
    assert 2 <= len(drawn.rows) <= 7
    for dot in drawn.curves[0].dots:
        assert drawn.left - 0.1 <= dot.x <= drawn.right + 0.1
        assert drawn.top - 0.1 <= dot.y <= drawn.bottom + 0.1
