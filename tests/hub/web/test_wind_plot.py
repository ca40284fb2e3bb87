import re

from aerocast_hub.web.views import WindLevel
from aerocast_hub.web.wind_plot import HEIGHT, WIDTH, wind_plot
from hypothesis import given
from hypothesis import strategies as st

LEVELS = st.builds(
    WindLevel,
    altitude_ft=st.floats(-1000, 50_000),
    direction_deg=st.floats(0, 360),
    speed_kt=st.floats(0, 250),
)


def test_no_level_makes_no_plot():
    assert wind_plot([]) is None


def test_an_arrow_points_where_the_wind_blows_to():
    plot = wind_plot([WindLevel(altitude_ft=5000, direction_deg=270, speed_kt=30)])
    (arrow,) = plot.arrows
    assert arrow.tip[0] > arrow.x > arrow.tail[0]  # a west wind blows to the east: right
    assert arrow.tip[1] == arrow.tail[1]
    assert arrow.words == "5,000 ft: from 270°, 30 kt"


def test_north_is_up():
    (arrow,) = wind_plot([WindLevel(altitude_ft=5000, direction_deg=180, speed_kt=30)]).arrows
    assert arrow.tip[1] < arrow.y < arrow.tail[1]


@given(st.lists(LEVELS, min_size=1, max_size=60))
def test_everything_lies_inside_and_higher_is_higher(levels):
    plot = wind_plot(levels)
    altitudes = [level.altitude_ft for level in sorted(levels, key=lambda each: each.altitude_ft)]
    for arrow in plot.arrows:
        for x, y in ((arrow.x, arrow.y), arrow.tip, arrow.tail):
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    heights = [arrow.y for arrow in plot.arrows]
    assert heights == sorted(heights, reverse=True)
    assert len(heights) == len(altitudes)
    assert len(plot.altitudes) <= 8
    assert len(plot.speeds) <= 8
    assert re.fullmatch(r"[-0-9., ]+", plot.line)
