"""Folding everything known of a bag into its journey. Pure.

The fold is over a set: gateways and partners deliver late, twice and in any order, and the journey
is the same. IATA Resolution 753 asks for custody points passed, with their times.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter

from aerocast_hub.baggage.containment import Containers, Place
from aerocast_hub.baggage.doubts import (
    FASTEST_BETWEEN_BELTS_US,
    contest,
    is_settled,
    too_fast,
    unsure_belt,
)
from aerocast_hub.baggage.evidence import (
    Announced,
    Evidence,
    Handled,
    Irregularity,
    Leg,
    Moved,
    Nested,
    Placed,
    Retagged,
    Screened,
    Seen,
    Stowed,
    Voided,
)
from aerocast_hub.baggage.inference import BELIEVED, Grounds, infer
from aerocast_hub.baggage.itinerary import joined_legs
from aerocast_hub.baggage.journey import (
    POINTS,
    Journey,
    PointPassed,
    Reason,
    Screening,
    State,
)

_STATES: dict[str, State] = {
    "acceptance": "accepted",
    "screening": "screened",
    "sortation": "sorted",
    "makeup": "made_up",
    "loading": "loaded",
    "transfer": "transfer",
    "arrival": "arrived",
    "reclaim": "delivered",
}
_OUT_OF_CONTAINERS = frozenset({"transfer", "arrival", "reclaim"})


def journey_of(evidence: Iterable[Evidence], *, contested: bool = False) -> Journey:
    """Fold the set of what is known into a bag's journey.

    Parameters
    ----------
    evidence
        Of the bag, and of the containers and flights it may have been in; in any order, repeated
        or not.
    contested
        True when another bag of the same plate could as well own it.
    """
    ordered = in_order(evidence)
    fold = _Fold()
    for each in ordered:
        fold.take_in(each)
    return fold.journey(contested=contested)


def in_order(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Sort a set of evidence as it happened, each in its latest form and without what was voided.

    At one instant, in the order bags meet points.
    """
    latest: dict[str, Evidence] = {}
    for each in evidence:
        known = latest.setdefault(each.id, each)
        if known is not each and (each.known_at_us, each.at_us) > (known.known_at_us, known.at_us):
            latest[each.id] = each
    voided = {each.voids for each in latest.values() if type(each) is Voided}
    ordered = sorted(
        (each for each in latest.values() if each.id not in voided) if voided else latest.values(),
        key=_by_time,
    )
    if len({each.at_us for each in ordered}) < len(ordered):
        ordered.sort(key=_by_time_and_rank)
    return ordered


_by_time: Callable[[Evidence], tuple[int, str]] = attrgetter("at_us", "id")
_RANKS = {point: rank for rank, point in enumerate(POINTS)}


def _by_time_and_rank(each: Evidence) -> tuple[int, int, str]:
    rank = _RANKS.get(each.point, len(POINTS)) if type(each) is Seen else -1
    return each.at_us, rank, each.id


class _Fold:
    """What is gathered while evidence is taken in, earliest first."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.places: dict[tuple[str, str, str], list[Seen]] = {}
        self.custody: dict[str, int] = {}
        self.reasons: list[Reason] = []
        self.unsure: list[Seen] = []
        self.is_doubtful = False
        self.state: State = "expected"
        self.state_at_us = 0
        self.known: Announced | None = None
        self.said: dict[str, object] = {}
        self.legs: tuple[Leg, ...] = ()
        self.is_cancelled = False
        self.screening: Screening | None = None
        self.containers = Containers()
        self.container: str | None = None
        self.stowed: Stowed | None = None
        self.stowed_at_us: int | None = None
        self.loaded_at = ""
        self.is_held = False
        self.irregularity: str | None = None
        self.handled_at: tuple[int, str, str] | None = None
        self.moves: dict[tuple[str, str], dict[str, Moved]] = {}
        self.last_at_us: int | None = None

    def take_in(self, each: Evidence) -> None:
        """Take in the next piece of evidence, the most frequent kinds first."""
        if isinstance(each, Seen):
            self._seen(each)
        elif isinstance(each, Moved):
            self._moved(each)
        elif isinstance(each, Announced):
            self._announced(each)
        elif isinstance(each, Stowed):
            self._stowed(each)
        elif isinstance(each, Nested):
            self.containers.nest(each)
        elif isinstance(each, Placed):
            self.containers.place(each)
        else:
            self._take_rare(each)

    def _take_rare(self, each: Screened | Irregularity | Handled | Retagged | Voided) -> None:
        if isinstance(each, Screened):
            self._screened(each)
        elif isinstance(each, Irregularity):
            self._irregular(each)
        elif isinstance(each, Handled):
            self._handled(each)

    def _seen(self, seen: Seen) -> None:
        if self.seen:
            last = self.seen[-1]
            gap_us = seen.at_us - last.at_us
            # Asked here first: hardly ever so, and a call for each sighting is felt.
            if gap_us < FASTEST_BETWEEN_BELTS_US or last.site != seen.site:
                self.reasons += too_fast(last, seen)
        self.seen.append(seen)
        key = (seen.site, seen.point, seen.belt)
        there = self.places.get(key)
        if there is None:
            self.places[key] = [seen]
        else:
            there.append(seen)
        if seen.candidates:
            self.is_doubtful = True
        if seen.ambiguous:
            self.unsure.append(seen)
        self.last_at_us = seen.at_us
        if self.state != "claimed":
            self._reach(seen.point, seen.at_us)
            if seen.point == "loading":
                self.loaded_at = seen.site

    def _reach(self, point: str, at_us: int) -> None:
        """Be seen at a custody point, "" where nobody says at which."""
        state = _STATES.get(point)
        if state is not None:
            self.custody.setdefault(point, at_us)
            self._becomes(state, at_us)
            if point in _OUT_OF_CONTAINERS:
                self.container = None
        elif self.state == "expected":
            self._becomes("seen", at_us)

    def _announced(self, told: Announced) -> None:
        if told.status == "delete":
            self.is_cancelled = True
            return
        if told.source != "processed":
            self.is_cancelled = False
        if told.legs:
            self.legs = joined_legs(self.legs, told.legs, is_change=told.status == "change")
        for name in ("authority_to_load", "authority_to_transport", "passenger_status"):
            value = getattr(told, name)
            if value is not None:
                self.said[name] = value
        if told.exceptions:
            self.said["exceptions"] = told.exceptions
        if told.station:
            self.said["station"] = told.station

    def _screened(self, result: Screened) -> None:
        self.screening = result.result
        self.last_at_us = result.at_us
        self.custody.setdefault("screening", result.at_us)
        if self.state in ("expected", "seen", "accepted"):
            self._becomes("screened", result.at_us)

    def _stowed(self, stowed: Stowed) -> None:
        self.last_at_us = stowed.at_us
        if self.state == "claimed":
            return
        if stowed.is_in:
            self.container = stowed.container or None
            self.stowed = stowed
            self.stowed_at_us = stowed.at_us
            self.irregularity = None
            self._becomes("loaded" if stowed.leg is not None else "made_up", stowed.at_us)
            self.custody.setdefault("loading" if stowed.leg else "makeup", stowed.at_us)
        else:
            if stowed.container in ("", self.container):
                self.container = None
            self.stowed = self.stowed_at_us = None
            if self.state in ("loaded", "made_up"):
                self._becomes("offloaded", stowed.at_us)

    def _irregular(self, told: Irregularity) -> None:
        self.irregularity = told.code
        if told.code == "offloaded":
            self.container = self.stowed = self.stowed_at_us = None
            self._becomes("offloaded", told.at_us)

    def _handled(self, handled: Handled) -> None:
        self.last_at_us = handled.at_us
        self.handled_at = (handled.at_us, handled.site, handled.place)
        if handled.did == "claimed":
            self.container = self.irregularity = None
            self.is_held = False
            self._becomes("claimed", handled.at_us)
        elif handled.did == "offloaded":
            self.container = self.stowed = self.stowed_at_us = None
            self._becomes("offloaded", handled.at_us)
        elif handled.did == "held":
            self.is_held = True
        elif handled.did == "released":
            self.is_held = False

    def _moved(self, moved: Moved) -> None:
        of_flight = self.moves.setdefault((moved.flight_key, moved.flight_date), {})
        known = of_flight.get(moved.what)
        if known is None or moved.known_at_us >= known.known_at_us:
            of_flight[moved.what] = moved

    def _becomes(self, state: State, at_us: int) -> None:
        if self.state != "claimed":
            self.state, self.state_at_us = state, at_us
            if state == "offloaded":
                self.loaded_at = ""

    def journey(self, *, contested: bool) -> Journey:
        """Give what was gathered."""
        seen = self.seen
        unsure = [each for each in self.unsure if not is_settled(each, seen)]
        reasons = (*map(unsure_belt, unsure), *self.reasons)
        if contested:
            reasons = (*reasons, contest(seen[0].at_us if seen else 0))
        inferred = infer(
            Grounds(
                state=self.state,
                custody=self.custody,
                legs=self.legs,
                stowed=self.stowed,
                moves=self.moves,
                is_screened=self.screening is not None,
                is_cancelled=self.is_cancelled,
            )
        )
        state = self.state
        for each in inferred:
            if each.confidence >= BELIEVED and each.at_us >= self.state_at_us:
                state = each.state
        last = seen[-1] if seen else None
        return Journey(
            state=state,
            passed=tuple(
                [
                    _passed(key, there, unsure, is_doubtful=self.is_doubtful)
                    for key, there in self.places.items()
                ]
            ),
            custody=self.custody,
            last_seen_us=self.last_at_us,
            last_point=(last.point or None) if last else None,
            last_belt=(last.belt or None) if last else None,
            last_site=last.site if last else None,
            ambiguous=bool(unsure),
            duplicate=contested or bool(self.reasons),
            reasons=reasons,
            inferred=inferred,
            legs=self.legs,
            screening=self.screening,
            container=self.container,
            order=self.stowed.order if self.stowed is not None else 0,
            place=self._place(last),
            stowed_for=self.stowed.leg if self.stowed is not None else None,
            stowed_at_us=self.stowed_at_us,
            loaded_at=self.loaded_at,
            is_held=self.is_held,
            is_cancelled=self.is_cancelled,
            irregularity=self.irregularity,
            **self.said,  # type: ignore[arg-type]  # announced() puts each under its own field
        )

    def _place(self, last: Seen | None) -> Place | None:
        if self.container is not None:
            return self.containers.where(self.container)
        handled = self.handled_at
        if handled is not None and (last is None or handled[0] > last.at_us):
            return Place(kind="site", name=handled[2], site=handled[1], at_us=handled[0])
        if last is None:
            return None
        return Place(kind="belt", name=last.belt, site=last.site, at_us=last.at_us)


def _passed(
    key: tuple[str, str, str], seen: list[Seen], unsure: list[Seen], *, is_doubtful: bool
) -> PointPassed:
    """Sum up the sightings at a place.

    Parameters
    ----------
    is_doubtful
        Some sighting of the bag names candidates: else there are none to gather.
    """
    site, point, belt = key
    first = seen[0]
    witnesses = {each.witness for each in seen}
    candidates: tuple[str, ...] = ()
    if is_doubtful:
        candidates = tuple(sorted({name for each in seen for name in each.candidates}))
    return PointPassed(
        site=site,
        point=point or None,
        belt=belt or None,
        first_at_us=first.at_us,
        last_at_us=seen[-1].at_us,
        evidence=(first.witness,) if len(witnesses) == 1 else tuple(sorted(witnesses)),
        sightings=len(seen),
        confidence=max([each.confidence for each in seen]),
        ambiguous=bool(unsure) and all(each in unsure for each in seen),
        candidates=candidates,
    )
