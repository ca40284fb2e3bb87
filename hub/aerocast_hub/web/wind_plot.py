"""The wind above an airport as a drawing: speed to the right, altitude up, an arrow for where to.

Pure geometry; the template draws it. Arrows point where the wind blows *to*, as smoke would go.
"""

from collections.abc import Sequence
from math import ceil, cos, radians, sin
from typing import NamedTuple

from aerocast_hub.web.views import WindLevel

WIDTH, HEIGHT = 420.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 28.0, 14.0, 24.0
ARROW = 11.0


class Tick(NamedTuple):
    """A line of the grid: where, and what it says."""

    at: float
    label: str


class Arrow(NamedTuple):
    """A level: its point, the ends of its arrow, the arrow's head as a path, and words for it."""

    x: float
    y: float
    tail: tuple[float, float]
    tip: tuple[float, float]
    head: str
    words: str


class WindPlot(NamedTuple):
    """Everything the template needs."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    altitudes: list[Tick]
    speeds: list[Tick]
    arrows: list[Arrow]
    line: str


def wind_plot(levels: Sequence[WindLevel]) -> WindPlot | None:
    """Lay out a profile; None when there is no level to show."""
    if not levels:
        return None
    ordered = sorted(levels, key=lambda level: level.altitude_ft)
    # A little room, so that no arrow is cut off.
    highest_ft = _round_up(max(level.altitude_ft for level in ordered) * 1.04, 5000.0)
    fastest_kt = _round_up(max(level.speed_kt for level in ordered) * 1.04, 20.0)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(speed_kt: float) -> float:
        return round(LEFT + (right - LEFT) * speed_kt / fastest_kt, 1)

    def y(altitude_ft: float) -> float:
        return round(bottom - (bottom - TOP) * max(0.0, altitude_ft) / highest_ft, 1)

    arrows = [_arrow(level, x(level.speed_kt), y(level.altitude_ft)) for level in ordered]
    return WindPlot(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=right,
        top=TOP,
        bottom=bottom,
        altitudes=[
            Tick(y(each), f"{each:,.0f} ft" if each else "0")
            for each in _steps(highest_ft, 5000.0, at_most=6)
        ],
        speeds=[
            Tick(x(each), f"{each:g} kt" if each else "0")
            for each in _steps(fastest_kt, 20.0, at_most=5)
        ],
        arrows=arrows,
        line=" ".join(f"{arrow.x},{arrow.y}" for arrow in arrows),
    )


def _arrow(level: WindLevel, x: float, y: float) -> Arrow:
    towards = radians(level.direction_deg + 180.0)
    across, up = sin(towards), cos(towards)
    tail = round(x - ARROW * across, 1), round(y + ARROW * up, 1)
    tip = round(x + ARROW * across, 1), round(y - ARROW * up, 1)
    sides = []
    for turn in (150.0, -150.0):
        side = towards + radians(turn)
        sides.append((round(tip[0] + 6 * sin(side), 1), round(tip[1] - 6 * cos(side), 1)))
    head = f"M{sides[0][0]},{sides[0][1]}L{tip[0]},{tip[1]}L{sides[1][0]},{sides[1][1]}"
    words = (
        f"{round(level.altitude_ft):,} ft: from {round(level.direction_deg) % 360:03d}°, "
        f"{round(level.speed_kt)} kt"
    )
    return Arrow(x, y, tail, tip, head, words)


def _round_up(value: float, step: float) -> float:
    return max(step, ceil(value / step) * step)


def _steps(top: float, step: float, at_most: int) -> list[float]:
    while top / step > at_most:
        step *= 2
    return [step * number for number in range(int(top // step) + 1)]
