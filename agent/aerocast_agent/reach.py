"""How far each lane of the spool has been sent over the present link, by three ways. Pure."""

from collections.abc import Callable
from typing import NamedTuple

from aerocast_agent.lanes import EVERY_LANE

START: tuple[int, int] = (-1, -1)
END: tuple[int, int] = (2**63 - 1, 0)


class Stretch(NamedTuple):
    """What of a lane is yet to be sent: after this (epoch, sequence), before that.

    ``empty_at``: after so many commits nothing was left in it.
    """

    after: tuple[int, int]
    before: tuple[int, int]
    empty_at: int | None = None


class Reach:
    """Remembers what of each lane is yet to be sent.

    Attributes
    ----------
    live
        What comes while the link holds.
    backlog
        What was accepted before.
    rescued
        What was put back from a lost file, whose epochs may be above the present one.
    """

    def __init__(self) -> None:
        self.live: dict[int, Stretch] = {}
        self.backlog: dict[int, Stretch] = {}
        self.rescued: dict[int, Stretch] = {}

    def begin(self, epoch: int, next_sequence: Callable[[int], int]) -> None:
        """Call backlog what was accepted before this moment, and live what comes after."""
        for lane in EVERY_LANE:
            following = next_sequence(lane)
            self.live[lane] = Stretch((epoch, following - 1), (epoch + 1, 0))
            self.backlog[lane] = Stretch(START, (epoch, following))
            self.rescued[lane] = Stretch((epoch + 1, 0), END)
