"""What was known at an instant is told as the evidence of then has it, on both databases."""

import random

import msgspec
import pytest
from aerocast_hub.baggage.belt_bags import count_bags_for_belts
from aerocast_hub.baggage.evidence import Handled, Screened, Stowed
from aerocast_hub.baggage.evidence_store import keep_corrected, keep_evidence
from aerocast_hub.baggage.fold import journey_of
from aerocast_hub.baggage.history import histories
from aerocast_hub.baggage.identity import share_out
from aerocast_hub.baggage.journey import MINUTE_US, POINTS
from aerocast_hub.baggage.journeys import airport_codes
from aerocast_hub.baggage.messages import Incoming, take_in

from tests.hub.baggage.bag_evidence import OUT, announced, of, seen

PLATE = "0220123456"
LAST = 40


def day_of_a_bag(chance):
    """Give evidence learned one by one, in no order, some of it corrected later."""
    evidence = [
        announced(legs=(OUT,)),
        announced(-90, passenger_status="boarded"),
        *(seen(20 * i, point, f"belt-{i}") for i, point in enumerate(POINTS[:5])),
        of(Screened, 25, result="cleared"),
        of(Handled, 50, did="held"),
        of(Handled, 55, did="released"),
        of(Stowed, 110, container="AKE1", leg=OUT, site="lfbo"),
    ]
    chance.shuffle(evidence)
    learned = [msgspec.structs.replace(each, known_at_us=i) for i, each in enumerate(evidence)]
    corrected = [
        msgspec.structs.replace(
            each, at_us=each.at_us + chance.randrange(MINUTE_US), known_at_us=LAST - i
        )
        for i, each in enumerate(chance.sample(learned, 4))
    ]
    return learned, corrected


@pytest.mark.parametrize("seed", range(3))
async def test_what_was_known_at_an_instant_is_told_as_it_was_then(database, seed):
    learned, corrected = day_of_a_bag(random.Random(seed))
    async with database.writing() as session:
        await keep_evidence(session, [(PLATE, each) for each in learned])
        await keep_corrected(session, [(PLATE, each) for each in corrected])
        for instant in range(0, LAST + 1, 4):
            known = [each for each in (*learned, *corrected) if each.known_at_us <= instant]
            shared = share_out({PLATE: known}, airport_codes)
            told = await histories(session, PLATE, instant)
            assert [each.journey for each in told] == [journey_of(bag.evidence) for bag in shared]
            assert [each.bag_id for each in told] == [bag.bag_id for bag in shared]


async def test_overlapping_ranges_of_tags_count_each_bag_once(database):
    message = (
        b"BSM\n.V/1LCDG\n.F/AF6120/14JUN/TLS\n.N/0057123456003\n.N/0057123457003\n"
        b".N/0057123456\nENDBSM"
    )
    async with database.writing() as session:
        await take_in(session, [Incoming(message, 1_781_438_400_000_000, "test")])
        flight = ("AF6120", "2026-06-14")
        assert (await count_bags_for_belts(session, {flight}))[flight] == 4
