"""A photo eye across a belt: when its beam was broken, and by which bag. Pure.

Every bag breaks the beam once. So the windows in which it was broken are shared out among the tags
that seem to have passed: one that is left without is not on this belt, and a window that is left
over was a bag without a tag that answers.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

SHORTEST_NS = 100_000_000  # shorter breaks are straps and flutter
MENDED_NS = 100_000_000  # shorter gaps within one bag's length are seen through its handle
BAG_M = 0.9  # few bags are longer: a longer window says less about when its bag passed
SHORT_BAG_M = 0.4  # nor shorter: a window of twice that may be two bags that touch
QUEUE_M = 2.5  # windows longer than this: the belt stopped with a bag, perhaps two, in the beam
MOST_WINDOWS = 256
ENOUGH_SEEN = 5  # breaks of the beam after which its silence means something,
ENOUGH_UNSEEN = 3  # until so many usual bags in a row passed without breaking it


@dataclass(slots=True, eq=False)
class Window:
    """The beam was broken from ``start_ns`` to ``end_ns``; None while it still is.

    Attributes
    ----------
    owners
        How many bags it was said to be.
    is_explained
        A bag that stopped near by may have broken the beam once more.
    """

    start_ns: int
    end_ns: int | None = None
    owners: int = 0
    is_explained: bool = False

    def apart_ns(self, at_ns: int) -> int:
        """Give how long before or after the window a moment is; 0 within."""
        if self.end_ns is None:
            return max(self.start_ns - at_ns, 0)
        return max(self.start_ns - at_ns, at_ns - self.end_ns, 0)

    @property
    def length_ns(self) -> int:
        """Give how long it lasted; 0 while the beam is still broken."""
        return 0 if self.end_ns is None else self.end_ns - self.start_ns

    @property
    def middle_ns(self) -> int:
        """Give the moment half-way; its start while the beam is still broken."""
        return self.start_ns if self.end_ns is None else (self.start_ns + self.end_ns) // 2


class PhotoEye:
    """Remembers when the beam of one belt was broken and which bags that was.

    Parameters
    ----------
    speed_mps
        How fast the belt runs.
    transit_ns
        How long a bag takes through the antennas' field: how far the time of a passage may be off
        when the belt stopped meanwhile.
    """

    def __init__(self, speed_mps: float, transit_ns: int) -> None:
        self._transit_ns = transit_ns
        self._ns_per_m = 1e9 / speed_mps
        self._seen = 0
        self._unseen = 0
        self._windows: deque[Window] = deque(maxlen=MOST_WINDOWS)
        self._bags: deque[int] = deque(maxlen=MOST_WINDOWS)  # when each broke the beam
        self._loose: deque[int] = deque(maxlen=MOST_WINDOWS)  # bags that passed in no window

    @property
    def works(self) -> bool:
        """Say whether it has seen bags before, and still sees them."""
        return self._seen >= ENOUGH_SEEN and self._unseen < ENOUGH_UNSEEN

    def edge(self, boot_ns: int, *, blocked: bool) -> None:
        """Take a change of the beam; a change to what it already is says nothing."""
        last = self._windows[-1] if self._windows else None
        if last is None or last.end_ns is not None:
            if blocked:
                self._windows.append(Window(boot_ns))
        elif not blocked:
            last.end_ns = boot_ns
            if not self._is_mended(last) and _is_bag(last):
                self._seen += 1
                self._bags.append(last.start_ns)

    def _is_mended(self, last: Window) -> bool:
        """Join two windows that are one bag: the beam looked through under its handle."""
        before = self._windows[-2] if len(self._windows) > 1 else None
        if before is None or before.end_ns is None or last.end_ns is None or before.owners:
            return False
        length_ns = last.end_ns - before.start_ns
        if last.start_ns - before.end_ns >= MENDED_NS or length_ns >= BAG_M * self._ns_per_m:
            return False
        before.end_ns = last.end_ns
        self._windows.pop()
        return True

    def slots(self) -> Iterator[tuple[Window, int]]:
        """Give every place for one more bag: a window, and how many have it before."""
        for window in self._windows:
            if _is_bag(window):
                for place in range(window.owners, self._holds(window)):
                    yield window, place

    def beside(self, window: Window) -> Iterator[Window]:
        """Give the windows before and after one."""
        windows = list(self._windows)
        place = windows.index(window) if window in windows else -1
        if place >= 0:
            yield from windows[max(place - 1, 0) : place]
            yield from windows[place + 1 : place + 2]

    def crossed(self, start_ns: int, end_ns: int) -> int:
        """Count the bags that broke the beam between two moments."""
        return sum(start_ns <= bag_ns <= end_ns for bag_ns in self._bags)

    def claim(self, window: Window | None, passed_ns: int, *, sure: bool) -> None:
        """Say that a tagged bag passed then, in a window or in none; ``sure``: on this belt."""
        if window is None:
            self._loose.append(passed_ns)
            self._unseen += sure
        else:
            window.owners += 1
            self._unseen = 0

    def waits(self, before_ns: int) -> bool:
        """Say whether a window that ended before then waits for its bag."""
        return bool(self._windows) and _ended(self._windows[0], before_ns)

    def settled(self, before_ns: int) -> Iterator[Window]:
        """Forget the windows that ended before ``before_ns``; give those no bag explains."""
        while self.waits(before_ns):
            window = self._windows.popleft()
            if _is_bag(window) and not (
                window.owners or window.is_explained or self._takes_loose(window)
            ):
                yield window

    def _takes_loose(self, window: Window) -> bool:
        """Give a window to a bag that passed in none: it must have broken the beam near by."""
        near = [each for each in self._loose if window.apart_ns(each) <= self._transit_ns]
        if not near:
            return False
        self._loose.remove(min(near, key=lambda each: (window.apart_ns(each), each)))
        return True

    def _holds(self, window: Window) -> int:
        """Give how many bags a window may be."""
        length_m = math.inf
        if window.end_ns is not None:
            length_m = (window.end_ns - window.start_ns) / self._ns_per_m
        return max(int(length_m / SHORT_BAG_M), 1) if length_m < QUEUE_M else 2


def _is_bag(window: Window) -> bool:
    return window.end_ns is None or window.end_ns - window.start_ns >= SHORTEST_NS


def _ended(window: Window, before_ns: int) -> bool:
    return window.end_ns is not None and window.end_ns < before_ns
