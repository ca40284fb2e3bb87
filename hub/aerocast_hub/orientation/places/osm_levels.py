"""OpenStreetMap's ``level`` and ``repeat_on``: which floors something is on.

Simple Indoor Tagging (wiki.openstreetmap.org, read as of 2024): ``0``, ``-1.5``, lists ``0;1``
and ranges ``-1-2``, which hold every whole floor between their ends.
"""

import re

MOST_LEVELS = 200
_PART = re.compile(r"(-?\d{1,3}(?:\.\d{1,3})?)(?:\s*-\s*(-?\d{1,3}(?:\.\d{1,3})?))?\Z")


def read_levels(text: str | None) -> tuple[float, ...]:
    """Give the floors a ``level`` tag names, in the order they stand there, each once.

    Parts that are no floors are passed over, as the wild tags of the map demand.
    """
    found: dict[float, None] = {}
    for part in (text or "")[:1000].replace(",", ";").split(";"):
        match = _PART.match(part.strip())
        if match is not None:
            found.update(dict.fromkeys(_floors(float(match[1]), match[2])))
    return tuple(found)[:MOST_LEVELS]


def _floors(first: float, last_text: str | None) -> list[float]:
    if last_text is None:
        return [first]
    last = float(last_text)
    step = 1.0 if last >= first else -1.0
    between = [first + step * number for number in range(int(abs(last - first)) + 1)]
    return between if between[-1] == last else [*between, last]
