"""A photo eye across a belt: when its beam was broken, and which bags that explains. Pure."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

SHORTEST_NS = 100_000_000  # shorter breaks are straps and flutter
SLACK_NS = 300_000_000  # a tag hangs off its bag by this much of belt time
MOST_WINDOWS = 256
ENOUGH_SEEN = 5  # breaks of the beam after which its silence means something


class Window(NamedTuple):
    """The beam was broken from ``start_ns`` to ``end_ns``."""

    start_ns: int
    end_ns: int

    @property
    def middle_ns(self) -> int:
        """Give the moment half-way."""
        return (self.start_ns + self.end_ns) // 2


class PhotoEye:
    """Remembers when the beam of one belt was broken and which windows a tagged bag explains.

    Parameters
    ----------
    transit_ns
        How long a bag takes through the antennas' field: how far the time of a passage may be off
        when the belt stopped meanwhile.
    """

    def __init__(self, transit_ns: int) -> None:
        self._transit_ns = transit_ns
        self._blocked_ns: int | None = None
        self._seen = 0
        self._windows: deque[Window] = deque(maxlen=MOST_WINDOWS)
        self._claims: deque[int] = deque(maxlen=MOST_WINDOWS)
        self._loose: deque[int] = deque(maxlen=MOST_WINDOWS)

    @property
    def works(self) -> bool:
        """Say whether it has seen bags before."""
        return self._seen >= ENOUGH_SEEN

    def edge(self, boot_ns: int, *, blocked: bool) -> None:
        """Take a change of the beam; a change to what it already is says nothing."""
        if blocked and self._blocked_ns is None:
            self._blocked_ns = boot_ns
        elif not blocked and self._blocked_ns is not None:
            self._windows.append(Window(self._blocked_ns, boot_ns))
            self._seen += 1
            self._blocked_ns = None

    def claim(self, passed_ns: int) -> None:
        """Say that a tagged bag passed then."""
        (self._claims if self.saw(passed_ns) else self._loose).append(passed_ns)

    def saw(self, passed_ns: int) -> bool:
        """Say whether the beam was broken when a bag passed."""
        if self._blocked_ns is not None and self._blocked_ns - SLACK_NS <= passed_ns:
            return True
        return any(_covers(window, passed_ns) for window in self._windows)

    def waits(self, before_ns: int) -> bool:
        """Say whether a window that ended before then waits for its bag."""
        return bool(self._windows) and self._windows[0].end_ns < before_ns

    def settled(self, before_ns: int) -> Iterator[Window]:
        """Forget the windows that ended before ``before_ns``; give those no bag explains."""
        while self._windows and self._windows[0].end_ns < before_ns:
            window = self._windows.popleft()
            if window.end_ns - window.start_ns >= SHORTEST_NS and not self._explains(window):
                yield window

    def _explains(self, window: Window) -> bool:
        if any(_covers(window, passed_ns) for passed_ns in self._claims):
            return True
        # A bag that passed in no window must have broken the beam in one near by.
        near = [each for each in self._loose if _apart_ns(window, each) <= self._transit_ns]
        if not near:
            return False
        self._loose.remove(min(near, key=lambda each: (_apart_ns(window, each), each)))
        return True


def _covers(window: Window, passed_ns: int) -> bool:
    return _apart_ns(window, passed_ns) <= SLACK_NS


def _apart_ns(window: Window, passed_ns: int) -> int:
    return max(window.start_ns - passed_ns, passed_ns - window.end_ns, 0)
