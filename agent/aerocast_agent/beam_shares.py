"""Share out the windows of all beams among all tags that may have been the bags. Pure."""

import heapq
from collections.abc import Mapping
from typing import NamedTuple

from aerocast_agent.matching import best_matching
from aerocast_agent.photo_eye import Window
from aerocast_agent.watched_belt import Fit, WatchedBelt

FIT_PER_OWNER = 3.0  # how much less a window fits for each bag that it was already
MOST_BIDS = 24  # the nearest in time; more than that are not about the same windows


class Bid(NamedTuple):
    """A tag that may have broken a beam.

    Attributes
    ----------
    passed_ns
        When it seems to have passed.
    fits
        By belt: how well windows of that belt's beam fit it.
    """

    passed_ns: int
    fits: Mapping[str, Fit]


class Share(NamedTuple):
    """The window that a tag gets, and how much better all windows fit all tags by that."""

    window: Window | None
    gain: float


def share_of(
    epc: bytes, belt: str, bids: Mapping[bytes, Bid], belts: Mapping[str, WatchedBelt]
) -> Share:
    """Give the window of one belt that is best left to a tag.

    Every other tag may have a window of any belt that it bids for.
    """
    mine = bids.get(epc)
    if mine is None or belt not in mine.fits:
        return Share(None, 0.0)
    rivals = heapq.nsmallest(
        MOST_BIDS,
        (each for each in bids.items() if each[0] != epc),
        key=lambda each: (abs(each[1].passed_ns - mine.passed_ns), each[0]),
    )
    rows = [*(bid.fits for _, bid in rivals), {belt: mine.fits[belt]}]
    slots = [
        (name, window, FIT_PER_OWNER * place)
        for name, watched in belts.items()
        if watched.eye is not None
        for window, place in watched.eye.slots()
    ]
    columns: list[tuple[Window, list[float]]] = []
    for name, window, crowded in slots:
        fits = [row[name](window) - crowded if name in row else 0.0 for row in rows]
        if max(fits) > 0:
            columns.append((window, fits))
    weights = [[fits[number] for _, fits in columns] for number in range(len(rows))]
    taken, gained = _shared(weights)
    if taken is None:
        return Share(None, 0.0)
    return Share(columns[taken][0], gained - _shared(weights[:-1])[1])


def _shared(weights: list[list[float]]) -> tuple[int | None, float]:
    """Share out columns; gives the last row's, and the sum of all."""
    if not weights:
        return None, 0.0
    taken = best_matching(weights)
    pairs = zip(weights, taken, strict=True)
    return taken[-1], sum(row[column] for row, column in pairs if column is not None)
