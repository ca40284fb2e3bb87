"""One belt: its antennas, its photo eye, and what is usual on it. Pure.

It says how well a window of its beam fits a tag, and whether a tag that stayed long was on it while
it stopped, or is parked beside it.
"""

import math
from collections import deque
from collections.abc import Callable

from aerocast_agent.config import Belt
from aerocast_agent.encounter import NEAR_PEAK_DB, Antennas, Crossing, Encounter, UsualStrength
from aerocast_agent.photo_eye import BAG_M, PhotoEye, Window

SECOND_NS = 1_000_000_000
FIELD_M = 2.0  # how far along a belt antennas read, where the configuration does not say
# How long a tag stays, in transits of the field: longer than this it may have stopped with its
# belt, has, was strongest at some moment that says nothing any more, is parked unless it stopped.
MAY_HAVE_STOPPED, STOPPED, STOOD, LONG = 1.5, 2.0, 3.0, 5.0
STOPPED_FOR_NS = 180 * SECOND_NS  # longer than this no belt stands with a bag that counts
STOP_NS = 2 * SECOND_NS  # a belt that stops stands for longer than this
STOPPED_DB = 10.0  # a stopped bag is no weaker than this below a usual one
# While a bag is in the field no more bags than fit into it can pass: a tag that saw more is parked.
BAG_SPACE_M = 0.6
# A tag this far below the belt's usual bag was overheard from afar; less far when the beam, which
# sees every bag, saw none.
OVERHEARD_DB = 26.0
OVERHEARD_UNSEEN_DB = 9.0
# How well a window of the beam fits a tag, in nats: it fits a usual bag in its middle by WELCOME,
# and less so by each dB that the tag is below the usual, by each dB that it is behind its strongest
# belt, by each metre that it seems to have passed beside it, and when the tag was only overheard
# lately. Where the belt stopped, by each dB that the tag was fainter then than at its best.
WELCOME = 12.0
FIT_PER_DB = 0.25
FAINT_DB, FIT_PER_FAINT_DB = 20.0, 0.2
FIT_PER_DB_BEHIND = 0.6
FIT_PER_M = 7.0
FIT_HEARD = 4.0
FIT_PER_FADE_DB = 0.25
FIT_PER_M_STOPPED = 2.0
ASIDE_M = 0.2  # a tag may hang this far from the middle of its bag, or pass so far beside it

Fit = Callable[[Window], float]


class WatchedBelt:
    """Remembers what one belt's antennas and its photo eye are used to.

    Attributes
    ----------
    eye
        None where the belt has none.
    usual, antennas
        How strongly it reads its bags, and which antennas still do.
    """

    def __init__(self, belt: Belt) -> None:
        field_m = belt.field_m or FIELD_M
        self.name = belt.name
        self.point = belt.point
        self.margin_db = belt.margin_db
        self.transit_ns = round(field_m / belt.speed_mps * SECOND_NS)
        self.antennas = Antennas(place_of(antenna) for antenna in belt.antennas)
        self.eye_place = None if belt.photo_eye is None else place_of(belt.photo_eye)
        self.eye = PhotoEye(belt.speed_mps, self.transit_ns) if belt.photo_eye else None
        self.speed_mps = belt.speed_mps
        self.usual = UsualStrength()
        self._holds = int(field_m / BAG_SPACE_M) + 2
        self._passed: deque[int] = deque(maxlen=64)

    @property
    def is_seen(self) -> bool:
        """Say whether it has a photo eye that works."""
        return self.eye is not None and self.eye.works

    def passed(self, crossing: Crossing) -> None:
        """Take a bag that passed here."""
        self.usual.add(crossing.strength_dbm)
        self._passed.append(crossing.passed_ns)

    def lasts(self, encounter: Encounter, transits: float) -> bool:
        """Say whether a tag was here for longer than so many transits of the field."""
        return encounter.lasted_ns > transits * self.transit_ns

    def is_overheard(self, strength_dbm: float) -> bool:
        """Say whether a tag that broke no beam was too faint to have passed here."""
        limit_db = OVERHEARD_UNSEEN_DB if self.is_seen else OVERHEARD_DB
        return self.usual.below(strength_dbm) > limit_db

    def is_parked(self, encounter: Encounter, strength_dbm: float) -> bool:
        """Say whether a tag that stayed long is beside the belt and not on it while it stopped."""
        if not self.lasts(encounter, LONG):
            return False
        if encounter.lasted_ns > STOPPED_FOR_NS or self.was_overtaken(encounter):
            return True
        known = self.usual.is_known and self.usual.below(strength_dbm) <= STOPPED_DB
        return not (self.is_seen or known)

    def was_overtaken(self, encounter: Encounter) -> bool:
        """Say whether more bags passed a tag than the field holds: it is not on the belt."""
        if self.eye is not None and self.eye.works:
            return self.eye.crossed(encounter.first_ns, encounter.last_ns) > self._holds
        passed = (encounter.first_ns <= at_ns <= encounter.last_ns for at_ns in self._passed)
        return sum(passed) > self._holds

    def fit(
        self, encounter: Encounter, crossing: Crossing, behind_db: float, *, heard: bool
    ) -> Fit:
        """Give how well windows of the beam fit a tag.

        Parameters
        ----------
        behind_db
            How far its strength here is behind that on its strongest belt.
        heard
            Whether it was overheard lately, and did not pass.
        """
        below_db = max(self.usual.below(crossing.strength_dbm), 0.0)
        welcome = WELCOME - FIT_PER_DB * below_db - FIT_PER_DB_BEHIND * behind_db
        welcome -= FIT_PER_FAINT_DB * max(below_db - FAINT_DB, 0.0) + FIT_HEARD * heard
        m_per_ns = self.speed_mps / SECOND_NS
        slack_ns = round(ASIDE_M / m_per_ns)

        def moving(window: Window) -> float:
            aside_ns = min(abs(crossing.passed_ns - window.middle_ns), slack_ns)
            apart_m = m_per_ns * (window.apart_ns(crossing.passed_ns) + 0.1 * aside_ns)
            return welcome - FIT_PER_M * apart_m

        if not self.lasts(encounter, MAY_HAVE_STOPPED):
            return moving
        half_ns = self.transit_ns // 2
        ends_ns = (encounter.first_ns + half_ns, encounter.last_ns - half_ns)
        stood = self.lasts(encounter, STOOD)

        def stopped(window: Window) -> float:
            fit = -math.inf if stood else moving(window)
            faded_db = self.faded_db(encounter, crossing, window)
            if faded_db > NEAR_PEAK_DB:
                return fit
            apart_m = m_per_ns * min(window.apart_ns(end_ns) for end_ns in ends_ns)
            return max(fit, welcome - FIT_PER_FADE_DB * faded_db - FIT_PER_M_STOPPED * apart_m)

        return stopped

    def faded_db(self, encounter: Encounter, crossing: Crossing, window: Window) -> float:
        """Say how much fainter than at its best a tag was in a window of the beam."""
        if not math.isfinite(crossing.peak_dbm):
            return 0.0
        slack_ns = round(ASIDE_M / self.speed_mps * SECOND_NS)
        end_ns = encounter.last_ns if window.end_ns is None else window.end_ns
        level_dbm = encounter.level_near(self.name, window.start_ns - slack_ns, end_ns + slack_ns)
        return crossing.peak_dbm - level_dbm

    def explain(self, encounter: Encounter, crossing: Crossing, window: Window) -> None:
        """Explain windows beside a bag's own: it may have jogged back into the beam and out."""
        if self.eye is None or not self.lasts(encounter, STOPPED):
            return
        for beside in self.eye.beside(window):
            stands_ns = max(window.length_ns, beside.length_ns, window.apart_ns(beside.middle_ns))
            if stands_ns > STOP_NS and self.faded_db(encounter, crossing, beside) <= STOPPED_DB:
                beside.is_explained = True

    def when(self, crossing: Crossing, window: Window | None) -> tuple[int, float]:
        """Give when a bag passed and the deviation of that: antennas and beam together, in ns."""
        if window is None or window.end_ns is None:
            return crossing.passed_ns, crossing.sigma_ns
        inside_ns = min(max(crossing.passed_ns, window.start_ns), window.end_ns)
        if window.length_ns * self.speed_mps > BAG_M * SECOND_NS:
            return inside_ns, crossing.sigma_ns  # several bags, or it stopped: the beam says little
        beam_ns = window.length_ns / math.sqrt(12)
        share = beam_ns**2 / (beam_ns**2 + crossing.sigma_ns**2)
        passed_ns = window.middle_ns + round(share * (inside_ns - window.middle_ns))
        return passed_ns, math.sqrt(share) * crossing.sigma_ns


def place_of(reference: str) -> str:
    """Write ``portal-4:01`` and ``portal-4:gpi01`` as observations do, without leading zeros."""
    device, _, port = reference.rpartition(":")
    kind = "gpi" if port.startswith("gpi") else ""
    return f"{device}:{kind}{int(port.removeprefix(kind))}"
