"""Small charts for pages: lines, a band and bars over a grid. Pure geometry, drawn elsewhere."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, floor, log10
from typing import NamedTuple

WIDTH, HEIGHT = 420.0, 170.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 22.0, 12.0, 22.0
MOST_ROWS = 4

Points = Sequence[tuple[float, float]]


class Tick(NamedTuple):
    """A line of the grid: where, and what it says."""

    at: float
    label: str


class Dot(NamedTuple):
    """A point and words for it."""

    x: float
    y: float
    words: str


class Curve(NamedTuple):
    """A line through points; ``name`` chooses how it looks."""

    name: str
    line: str
    dots: list[Dot]


class Bar(NamedTuple):
    """A bar from the bottom up, and words for it."""

    x: float
    y: float
    width: float
    height: float
    words: str


class Chart(NamedTuple):
    """Everything the template needs; ``words`` says it all to those who cannot see it."""

    title: str
    words: str
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    rows: list[Tick]
    columns: list[Tick]
    band: str
    curves: list[Curve]
    bars: list[Bar]


class Axis(NamedTuple):
    """What a chart's values are.

    Attributes
    ----------
    columns
        Where the grid has upright lines, and what they say; the first and last are the edges.
    lowest, highest
        Values that are always in sight; None: only what there is.
    percent
        Values are shares, told as per cent.
    """

    title: str
    unit: str
    columns: Sequence[tuple[float, str]]
    lowest: float | None = None
    highest: float | None = None
    percent: bool = False


def chart(
    axis: Axis,
    curves: Mapping[str, Points],
    band: Sequence[tuple[float, float, float]] = (),
    bars: Points = (),
) -> Chart | None:
    """Lay out a chart; None when there is nothing to show.

    Parameters
    ----------
    curves
        By name: (x, value).
    band
        (x, low, high), from left to right.
    bars
        (x, value), from left to right.
    """
    values = [value for points in (*curves.values(), bars) for _, value in points]
    values += [value for _, low, high in band for value in (low, high)]
    if not values:
        return None
    bottom_value, top_value, step = _span(
        min([*values, *([] if axis.lowest is None else [axis.lowest])]),
        max([*values, *([] if axis.highest is None else [axis.highest])]),
    )
    first, last = axis.columns[0][0], axis.columns[-1][0]
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(at: float) -> float:
        return round(LEFT + (right - LEFT) * (at - first) / (last - first or 1.0), 1)

    def y(value: float) -> float:
        share = (value - bottom_value) / (top_value - bottom_value)
        return round(bottom - (bottom - TOP) * share, 1)

    upper = [f"{x(at)},{y(high)}" for at, _, high in band]
    lower = [f"{x(at)},{y(low)}" for at, low, _ in reversed(band)]
    apart = min((b - a for (a, _), (b, _) in pairwise(bars)), default=(last - first) / 6)
    width = round(0.6 * (x(first + apart) - LEFT), 1)
    drawn = [
        Curve(
            name,
            " ".join(f"{x(at)},{y(value)}" for at, value in points),
            [Dot(x(at), y(value), _words(axis, value, name)) for at, value in points],
        )
        for name, points in curves.items()
        if points
    ]
    raised = [
        Bar(round(x(at) - width / 2, 1), y(value), width, round(bottom - y(value), 1),
            _words(axis, value))
        for at, value in bars
    ]  # fmt: skip
    said = [f"{each.name}: {', '.join(dot.words for dot in each.dots)}" for each in drawn]
    said += [", ".join(each.words for each in raised)] if raised else []
    return Chart(
        title=axis.title,
        words=f"{axis.title}. {'; '.join(said)}",
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=right,
        top=TOP,
        bottom=bottom,
        rows=[
            Tick(y(bottom_value + step * number), _label(axis, bottom_value + step * number))
            for number in range(round((top_value - bottom_value) / step) + 1)
        ],
        columns=[Tick(x(at), label) for at, label in axis.columns],
        band=" ".join(upper + lower),
        curves=drawn,
        bars=raised,
    )


def _span(low: float, high: float) -> tuple[float, float, float]:
    """Choose round edges and a round step that hold the values in few rows."""
    rough = max(high - low, 1e-3) / MOST_ROWS
    size = 10.0 ** floor(log10(rough))
    step = next(size * each for each in (1.0, 2.0, 5.0, 10.0) if size * each >= rough * 0.999)
    first = floor(low / step + 1e-9) * step
    last = ceil(high / step - 1e-9) * step
    return first, max(last, first + step), step


def _label(axis: Axis, value: float) -> str:
    shown = f"{100 * value:.0f}" if axis.percent else f"{round(value, 4) + 0.0:g}"
    return f"{shown.replace('-', chr(0x2212))}\u202f{axis.unit}"


def _words(axis: Axis, value: float, name: str = "") -> str:
    shown = f"{100 * value:.0f}" if axis.percent else f"{value:.1f}"
    return f"{name} {shown} {axis.unit}".strip()
