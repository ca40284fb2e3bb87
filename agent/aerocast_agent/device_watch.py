"""How one device is doing, from what its driver hands in. Pure: the caller says what time it is."""

from collections import deque

from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.gateways import DeviceEvent, DeviceHealth

CONNECTING, CONNECTED, LOST, DONE = "connecting", "connected", "lost", "done"
RATE_OVER_NS = 10_000_000_000
_NS = 1e9


class DeviceWatch:
    """Remembers a device's state, what it saw, and which of its antennas are there.

    Parameters
    ----------
    silent_after_s
        Connected and nothing seen for so long is a silence; None: it may be silent for ever.

    Attributes
    ----------
    state
        ``connecting``, ``connected``, ``lost`` or ``done`` (a recording's end).
    error
        Why it was lost last; None while it is connected.
    """

    def __init__(self, silent_after_s: float | None = None) -> None:
        self.state = CONNECTING
        self.error: str | None = None
        self._silent_after_s = silent_after_s
        self._reconnects = 0
        self._was_lost = False
        self._reads = 0
        self._heard = 0
        self._heard_at_last_look = 0
        self._last_seen_ns: int | None = None
        self._connected_ns: int | None = None
        self._counts: deque[tuple[int, int]] = deque()
        self._antennas: dict[int, bool] = {}

    def saw(self, observation: Observation) -> None:
        """Note an observation; nearly all take the shortest way."""
        self._heard += 1
        if not isinstance(observation, DeviceEvent):
            self._reads += 1
            return
        if observation.event == "connected":
            self._reconnects += self._was_lost
            self.state, self.error, self._was_lost = CONNECTED, None, False
            self._connected_ns = observation.boot_ns
        elif observation.event == "lost":  # told by a driver that goes on listening for it
            self.lost(observation.detail)
        elif observation.antenna is not None:
            self._antennas[observation.antenna] = observation.event == "antenna_connected"

    def lost(self, why: str) -> bool:
        """Note a loss; True when it was connected before."""
        was_connected = self.state == CONNECTED
        self._was_lost |= was_connected
        self.state, self.error = LOST, why
        self._antennas.clear()
        return was_connected

    def let_go(self) -> None:
        """Note that it was let go of on purpose: it is no loss, and it connects anew."""
        self.state = CONNECTING
        self._antennas.clear()

    def look(self, now_ns: int) -> None:
        """Let time pass: call it every second or so."""
        if self._heard != self._heard_at_last_look:
            self._heard_at_last_look, self._last_seen_ns = self._heard, now_ns
        self._counts.append((now_ns, self._reads))
        while len(self._counts) > 1 and self._counts[1][0] <= now_ns - RATE_OVER_NS:
            self._counts.popleft()

    def health(self, now_ns: int) -> DeviceHealth:
        """Give everything as it is reported."""
        return DeviceHealth(
            state=self.state,
            last_seen_age_s=self._age_s(now_ns, self._last_seen_ns),
            reads=self._reads,
            reads_per_s=self._reads_per_s(),
            reconnects=self._reconnects,
            antennas=dict(sorted(self._antennas.items())),
            silent=self._is_silent(now_ns),
            error=self.error,
        )

    def _reads_per_s(self) -> float:
        if len(self._counts) < 2:
            return 0.0
        (first_ns, first), (last_ns, last) = self._counts[0], self._counts[-1]
        return round((last - first) * _NS / max(1, last_ns - first_ns), 2)

    def _is_silent(self, now_ns: int) -> bool:
        if self._silent_after_s is None or self.state != CONNECTED:
            return False
        since_ns = max(self._last_seen_ns or 0, self._connected_ns or 0)
        return now_ns - since_ns > self._silent_after_s * _NS

    @staticmethod
    def _age_s(now_ns: int, at_ns: int | None) -> float | None:
        return None if at_ns is None else round(max(0, now_ns - at_ns) / _NS, 1)
