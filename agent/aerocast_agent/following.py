"""What becomes of an observation on its way to the spool: itself, and the passages it completes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aerocast_protocols.observations.bags import GpioEdge, TagRead
from aerocast_protocols.observations.every import Observation

from aerocast_agent import clock
from aerocast_agent.driver import Accept

if TYPE_CHECKING:
    from aerocast_agent.config import Belt
    from aerocast_agent.passages import Passages


class Following:
    """Passes observations on, follows tags along belts, and passes on what it concludes.

    Time on a belt is the time of its observations: a recording may be placed on any day. Between
    them it runs on as ours does.
    """

    def __init__(self, groups: Sequence[Sequence["Belt"]], accept: Accept) -> None:
        self._accept = accept
        self._lines: list[_Line] = []
        if groups:
            from aerocast_agent.passages import Passages  # noqa: PLC0415  only with belts

            self._lines = [_Line(Passages(group), _devices(group)) for group in groups]

    def accept(self, observation: Observation) -> None:
        """Take an observation."""
        self._accept(observation)
        if isinstance(observation, TagRead | GpioEdge):
            for line in self._lines:
                if observation.device in line.devices:
                    line.saw(observation.boot_ns)
                    self._pass_on(line.passages.add(observation))

    def advance(self) -> None:
        """Let time pass; called every second."""
        for line in self._lines:
            moment_ns = line.now_ns()
            if moment_ns is not None:
                self._pass_on(line.passages.advance(moment_ns))

    def _pass_on(self, concluded: list[Observation]) -> None:
        for each in concluded:
            self._accept(each)


class _Line:
    def __init__(self, passages: "Passages", devices: frozenset[str]) -> None:
        self.passages = passages
        self.devices = devices
        self._newest_ns: int | None = None
        self._arrived_ns = 0

    def saw(self, boot_ns: int) -> None:
        if self._newest_ns is None or boot_ns >= self._newest_ns:
            self._newest_ns, self._arrived_ns = boot_ns, clock.boot_ns()

    def now_ns(self) -> int | None:
        if self._newest_ns is None:
            return None
        return self._newest_ns + clock.boot_ns() - self._arrived_ns


def _devices(group: Sequence["Belt"]) -> frozenset[str]:
    places = [
        place
        for belt in group
        for place in [*belt.antennas, *([belt.photo_eye] if belt.photo_eye else [])]
    ]
    return frozenset(place.rpartition(":")[0] for place in places)
