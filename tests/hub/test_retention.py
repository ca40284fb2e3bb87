import asyncio

import pytest
from aerocast_hub.baggage.bags import find_bag
from aerocast_hub.baggage.journeys import refold_plates
from aerocast_hub.baggage.message_tables import BagMessageRow
from aerocast_hub.baggage.messages import Incoming, take_in
from aerocast_hub.baggage.operations import Action, act
from aerocast_hub.baggage.passenger_of_bag import whose_bag
from aerocast_hub.baggage.tables import BagRow, EvidenceRow, PassengerRow
from aerocast_hub.database.engine import in_spite_of_others
from aerocast_hub.database.months import Month
from aerocast_hub.database.partitions import make_months
from aerocast_hub.inbox.store import Row, event_store
from aerocast_hub.inbox.tables import ObservationRow
from aerocast_hub.retention.forget import DAY_US, forget
from aerocast_hub.retention.old_months import KeepMonthError, forget_months
from sqlalchemy import func, select

MAY = Month(2033, 5)
NOW = 1_781_438_400_000_000  # 2026-06-14 12:00 UTC
PLATE = "0057123456"
BSM = b"BSM\n.V/1LCDG\n.F/AF6120/14JUN/TLS/Y\n.N/0057123456\n.P/DOE/JANE\n.L/ABC123\nENDBSM\n"


async def said(database):
    async with database.writing() as session:
        await take_in(session, [Incoming(BSM, NOW, "test")])


async def count(database, table):
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(table))


async def test_names_go_first_and_the_bag_s_journey_stays(database):
    await said(database)
    assert await forget(database, NOW + 20 * DAY_US, record_days=400, personal_days=30) == {}
    gone = await forget(database, NOW + 40 * DAY_US, record_days=400, personal_days=30)
    assert gone == {"passengers": 1, "message texts": 1}
    assert await count(database, PassengerRow) == 0
    async with database.writing() as session:
        await act(session, PLATE, Action(did="held", at_us=NOW), "eva")
        await refold_plates(session, {PLATE})
        bag = await find_bag(session, PLATE)
        assert bag.flight == "AF6120"
        assert bag.journey.is_held
        assert await whose_bag(session, PLATE, may_see=True) is None
        (raw,) = await session.scalars(select(BagMessageRow.raw))
    assert raw == b""


@pytest.mark.every_database
async def test_an_old_flight_s_message_that_comes_while_people_are_forgotten_holds_up_neither(
    database,
):
    later = NOW + 40 * DAY_US

    async def said_again(number):
        again = BSM.replace(b"0057123456", f"00572{number:05}".encode())

        async def keep(*, may_repeat):
            async with database.writing() as session:
                came = [Incoming(again, NOW, "test")]
                await take_in(session, came, may_repeat=may_repeat)

        await in_spite_of_others(keep)

    await said(database)
    for first in range(0, 40, 4):
        await asyncio.gather(
            forget(database, later, record_days=400, personal_days=30),
            *(said_again(number) for number in range(first, first + 4)),
        )
    assert await count(database, BagRow) == 41
    await forget(database, later, record_days=400, personal_days=30)
    assert await count(database, PassengerRow) == 0


async def test_in_the_end_nothing_is_left(database):
    await said(database)
    await forget(database, NOW + 900 * DAY_US, record_days=400, personal_days=30)
    for table in (PassengerRow, BagMessageRow, BagRow):
        assert await count(database, table) == 0
    assert await count(database, EvidenceRow) == 0


async def test_nothing_is_forgotten_where_the_settings_say_so(database):
    await said(database)
    assert await forget(database, NOW + 900 * DAY_US, record_days=0, personal_days=0) == {}
    assert await count(database, PassengerRow) == 1


async def test_who_may_not_see_passengers_sees_an_initial(database):
    await said(database)
    async with database.reading() as session:
        seen = await whose_bag(session, PLATE, may_see=True)
        hidden = await whose_bag(session, PLATE, may_see=False)
        assert await whose_bag(session, "0000000001", may_see=True) is None
    assert (seen.surname, seen.reference, seen.is_hidden) == ("DOE", "ABC123", False)
    assert hidden.surname[0] == "D"
    assert "OE" not in hidden.surname
    assert hidden.reference[1:] == "\N{BULLET}" * 5
    assert "DOE" not in repr(seen)


def observation(sequence, received_at_us):
    return Row(1, 7, 2, sequence, "tag_read", "portal", 5, 0, 3, received_at_us, b"\x80")


async def keep(database, rows):
    async with database.writing() as session:
        await make_months(session, MAY.first_us)  # nothing on SQLite
        await event_store(database).append(session, rows)


async def test_observations_go_by_whole_months(database):
    in_no_table = MAY.after(-6).first_us
    times = [in_no_table, MAY.first_us, MAY.end_us - 1, MAY.end_us]
    await keep(database, [observation(number, at_us) for number, at_us in enumerate(times)])
    assert await forget_months(database, MAY.end_us - 1) == 1
    assert await forget_months(database, MAY.end_us) == 2
    assert await forget_months(database, MAY.end_us) == 0
    async with database.reading() as session:
        assert list(await session.scalars(select(ObservationRow.sequence))) == [3]


async def test_a_month_that_must_stay_stays_and_later_ones_go(database):
    await keep(database, [observation(1, MAY.first_us), observation(2, MAY.end_us)])

    async def not_may(month):
        if month == MAY:
            raise KeepMonthError("its archive is not whole")

    assert await forget_months(database, MAY.after(2).first_us, not_may) == 1
    async with database.reading() as session:
        assert list(await session.scalars(select(ObservationRow.sequence))) == [1]


async def test_a_month_in_use_goes_another_time(postgresql_database, monkeypatch):
    database = postgresql_database
    monkeypatch.setattr("aerocast_hub.database.partitions.LOCK_TIMEOUT_MS", 50)
    await keep(database, [observation(1, MAY.first_us)])
    async with database.reading() as reader:
        await reader.scalars(select(ObservationRow.sequence))
        assert await forget_months(database, MAY.end_us) == 0
    assert await forget_months(database, MAY.end_us) == 1
