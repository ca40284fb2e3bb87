"""The one way to disk: every observation goes through here into its lane of the spool."""

import logging

from aerocast_protocols.batch import encode_observation
from aerocast_protocols.observations import Observation, lane_of

from aerocast_agent.spool import Spool

log = logging.getLogger(__name__)


class Intake:
    """Hands observations to the spool and counts them by device.

    Attributes
    ----------
    seen
        Observations accepted of each device.
    refused
        Observations too large for any batch: counted and logged, for they cannot travel.
    """

    def __init__(self, spool: Spool) -> None:
        self.seen: dict[str, int] = {}
        self.refused = 0
        self._spool = spool

    def accept(self, observation: Observation) -> None:
        """Accept an observation; waits a moment when the disk is behind."""
        try:
            self._spool.add(lane_of(observation), encode_observation(observation))
        except ValueError as error:
            self.refused += 1
            log.warning("%s: %s", observation.device, error)
            return
        self.seen[observation.device] = self.seen.get(observation.device, 0) + 1
