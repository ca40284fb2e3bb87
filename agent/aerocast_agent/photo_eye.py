"""A photo eye across a belt: when its beam was broken, and which bags that explains. Pure."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

SHORTEST_NS = 100_000_000  # shorter breaks are straps and flutter
SLACK_NS = 300_000_000  # a tag hangs off its bag by this much of belt time
MOST_WINDOWS = 256


class Window(NamedTuple):
    """The beam was broken from ``start_ns`` to ``end_ns``."""

    start_ns: int
    end_ns: int

    @property
    def middle_ns(self) -> int:
        """Give the moment half-way."""
        return (self.start_ns + self.end_ns) // 2


class PhotoEye:
    """Remembers when the beam of one belt was broken and which windows a tagged bag explains."""

    def __init__(self, belt: str) -> None:
        self.belt = belt
        self._blocked_ns: int | None = None
        self._windows: deque[Window] = deque(maxlen=MOST_WINDOWS)
        self._claims: deque[int] = deque(maxlen=MOST_WINDOWS)

    def edge(self, boot_ns: int, *, blocked: bool) -> None:
        """Take a change of the beam; a change to what it already is says nothing."""
        if blocked and self._blocked_ns is None:
            self._blocked_ns = boot_ns
        elif not blocked and self._blocked_ns is not None:
            self._windows.append(Window(self._blocked_ns, boot_ns))
            self._blocked_ns = None

    def claim(self, passed_ns: int) -> None:
        """Say that a tagged bag passed then."""
        self._claims.append(passed_ns)

    def saw(self, passed_ns: int) -> bool:
        """Say whether the beam was broken when a bag passed."""
        if self._blocked_ns is not None and self._blocked_ns - SLACK_NS <= passed_ns:
            return True
        return any(_covers(window, passed_ns) for window in self._windows)

    def settled(self, before_ns: int) -> Iterator[Window]:
        """Forget the windows that ended before ``before_ns``; give those no bag explains."""
        while self._windows and self._windows[0].end_ns < before_ns:
            window = self._windows.popleft()
            if window.end_ns - window.start_ns >= SHORTEST_NS and not any(
                _covers(window, passed_ns) for passed_ns in self._claims
            ):
                yield window


def _covers(window: Window, passed_ns: int) -> bool:
    return window.start_ns - SLACK_NS <= passed_ns <= window.end_ns + SLACK_NS
