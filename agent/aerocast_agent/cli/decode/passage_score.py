"""Compare passages with what really happened: ``decode passages --truth truth.json``. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec
from aerocast_protocols.observations.bags import BagPassage, UnreadBag
from aerocast_protocols.observations.every import Observation

NEAR_US = 10_000_000  # a passage further than this from the bag's is not its passage
EYE_US = 500_000  # an unread bag is told this near to when the bag broke the beam


class TrueBag(msgspec.Struct, frozen=True):
    """A bag that passed a belt; times in microseconds, first and last where it passed twice."""

    belt: str
    epc: str | None
    passed_at_us: tuple[int, int]
    eye_us: tuple[int, int]
    readable: bool
    stopped_in_field: bool = False
    reversed_in_field: bool = False


class TrueParked(msgspec.Struct, frozen=True):
    """A tag beside the belts."""

    epc: str


class Truth(msgspec.Struct, frozen=True):
    """A truth.json; keys that are not needed here are left alone."""

    bags: tuple[TrueBag, ...]
    parked: tuple[TrueParked, ...] = ()


class Score(msgspec.Struct, kw_only=True):
    """Counts, and errors of time in milliseconds of bags that kept moving.

    Attributes
    ----------
    repeated
        Passages more than the bag really passed.
    unread, unread_found, unread_told
        Bags without a readable tag, those of them that were told, and all that were told.
    parked, parked_told
        Parked tags, and those of them for which a passage was told.
    """

    readable: int = 0
    right: int = 0
    wrong: int = 0
    ambiguous: int = 0
    missed: int = 0
    repeated: int = 0
    unread: int = 0
    unread_found: int = 0
    unread_told: int = 0
    unread_true: int = 0
    parked: int = 0
    parked_told: int = 0
    errors_ms: list[float] = msgspec.field(default_factory=list)

    def add(self, other: "Score") -> None:
        """Add another hall's."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def error_ms(self, share: float) -> float | None:
        """Give the error of time that ``share`` of the moving bags stay below."""
        errors = sorted(self.errors_ms)
        return errors[min(round(share * len(errors)), len(errors) - 1)] if errors else None

    def __str__(self) -> str:
        median_ms, most_ms = self.error_ms(0.5), self.error_ms(0.95)
        times = ""
        if median_ms is not None and most_ms is not None:
            times = f"; time off by {median_ms:.0f} ms (median), {most_ms:.0f} ms (95 %)"
        return (
            f"of {self.readable} readable bags {self.right} right, {self.wrong} wrong,"
            f" {self.ambiguous} ambiguous, {self.missed} missed, {self.repeated} told again;"
            f" of {self.unread} unread bags {self.unread_found} found, {self.unread_told} told;"
            f" {self.parked_told} of {self.parked} parked tags told{times}"
        )


def score(truth: Truth, told: Iterable[Observation]) -> Score:
    """Compare what was told with what happened; `boot_ns` counts from where the truth does."""
    passages: dict[str, list[BagPassage]] = defaultdict(list)
    unread: list[UnreadBag] = []
    for each in told:
        if isinstance(each, BagPassage):
            passages[each.epc.hex()].append(each)
        elif isinstance(each, UnreadBag):
            unread.append(each)
    found = Score(parked=len(truth.parked), unread_told=len(unread))
    by_epc: dict[str, list[TrueBag]] = defaultdict(list)
    for bag in truth.bags:
        if bag.epc is not None:
            by_epc[bag.epc].append(bag)
    for epc, bags in by_epc.items():
        _score_tag(found, sorted(bags, key=lambda bag: bag.passed_at_us), passages[epc])
    _score_unread(found, [bag for bag in truth.bags if not bag.readable], unread)
    found.parked_told = sum(bool(passages[tag.epc]) for tag in truth.parked)
    return found


def _score_tag(found: Score, bags: Sequence[TrueBag], told: Sequence[BagPassage]) -> None:
    """Give each of a tag's passages to the time it passed that is nearest, and count."""
    ends = [(one.passed_at_us[1] + next_.passed_at_us[0]) / 2 for one, next_ in pairwise(bags)]
    for number, bag in enumerate(bags):
        from_us = ends[number - 1] if number else float("-inf")
        until_us = ends[number] if number < len(ends) else float("inf")
        mine = [each for each in told if from_us <= each.boot_ns / 1000 < until_us]
        found.repeated += max(len(mine) - 1, 0)
        if not bag.readable:
            continue
        found.readable += 1
        near = [each for each in mine if _apart_us(bag, each) <= NEAR_US]
        if not near:
            found.missed += 1
            continue
        best = min(near, key=lambda each: _apart_us(bag, each))
        if best.ambiguous:
            found.ambiguous += 1
        elif best.belt != bag.belt:
            found.wrong += 1
        else:
            found.right += 1
        if not bag.stopped_in_field and not bag.reversed_in_field:
            found.errors_ms.append(_apart_us(bag, best) / 1000)


def _apart_us(bag: TrueBag, passage: BagPassage) -> float:
    at_us = passage.boot_ns / 1000
    first_us, last_us = bag.passed_at_us
    if bag.stopped_in_field:  # anywhere in the beam is where it was
        first_us, last_us = min(first_us, bag.eye_us[0]), max(last_us, bag.eye_us[1])
    return max(first_us - at_us, at_us - last_us, 0.0)


def _score_unread(found: Score, bags: Sequence[TrueBag], told: Sequence[UnreadBag]) -> None:
    found.unread = len(bags)
    found.unread_found = sum(any(_is_of(each, bag) for each in told) for bag in bags)
    found.unread_true = sum(any(_is_of(each, bag) for bag in bags) for each in told)


def _is_of(unread: UnreadBag, bag: TrueBag) -> bool:
    start_us, end_us = bag.eye_us
    at_us = unread.boot_ns / 1000
    return unread.belt == bag.belt and start_us - EYE_US <= at_us <= end_us + EYE_US
