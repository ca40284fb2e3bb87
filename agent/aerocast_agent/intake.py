"""The one way to disk: every observation goes through here into its lane of the spool."""

import logging

from aerocast_protocols.batch import encode_observation
from aerocast_protocols.observations.every import Observation, lane_of

from aerocast_agent.spool import Spool
from aerocast_agent.watching import Accepted, Watching

log = logging.getLogger(__name__)


class Intake:
    """Hands observations to the spool and counts them by device.

    Attributes
    ----------
    seen
        Observations accepted of each device.
    watching
        Who is told of every observation accepted.
    refused
        Observations too large for any batch: counted and logged, for they cannot travel.
    """

    def __init__(self, spool: Spool, boot_id: bytes = b"") -> None:
        self.watching = Watching()
        self.seen: dict[str, int] = {}
        self.refused = 0
        self._spool = spool
        self._boot_id = boot_id

    def accept(self, observation: Observation) -> None:
        """Accept an observation; waits a moment when the disk is behind."""
        try:
            lane, encoded = lane_of(observation), encode_observation(observation)
            sequence = self._spool.add(lane, encoded)
        except ValueError as error:
            self.refused += 1
            log.warning("%s: %s", observation.device, error)
            return
        self.seen[observation.device] = self.seen.get(observation.device, 0) + 1
        if self.watching:
            self.watching.tell(
                Accepted(
                    lane=lane,
                    epoch=self._spool.epoch or 0,
                    sequence=sequence,
                    boot_id=self._boot_id,
                    encoded=encoded,
                )
            )
