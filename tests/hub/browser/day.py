"""A small day at Toulouse around the present hour: flights, bags with passengers, a report.

It is the hour at which it is asked for: tests may begin long after they were collected.
"""

import json
from datetime import UTC, datetime, timedelta

PLATE, OTHER_PLATE, SURNAME = "0220123456", "0220123457", "Lefèvre"
ICAO = "3944ee"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def today() -> str:
    """Give the date of the flights."""
    return (now() - timedelta(minutes=100)).date().isoformat()


def flights() -> str:
    """Give two arrivals: one just landing, one later."""
    return lines(
        {
            "flight": "AF6120", "date": today(), "callsign": "AFR6120", "icao": ICAO,
            "registration": "F-GKXS", "from": "ORY", "to": "TLS",
            "scheduled_off_block": at(-75), "scheduled_on_block": at(-2),
            "stand": "A12", "reclaim": "4", "gate": None,
        },
        {
            "flight": "LH2216", "date": today(), "callsign": "DLH1TK", "icao": "3c6589",
            "registration": "D-AIWI", "from": "MUC", "to": "TLS",
            "scheduled_off_block": at(-60), "scheduled_on_block": at(45),
            "stand": "B3", "reclaim": "2", "gate": None,
        },
    )  # fmt: skip


def bags() -> str:
    """Give a passenger's two bags on the first flight."""
    return lines(
        *(
            {
                "licence_plate": plate, "flight": "AF6120", "flight_date": today(), "from": "ORY",
                "to": "TLS", "surname": SURNAME, "passenger": "p-1",
            }
            for plate in (PLATE, OTHER_PLATE)
        )
    )  # fmt: skip


def metars() -> str:
    """Give a quiet report of a quarter of an hour ago, and a thunderstorm at Bordeaux."""
    seen = now() - timedelta(minutes=15)
    return (
        f"METAR LFBO {seen:%d%H%M}Z 32014KT 9999 FEW030 BKN045 18/11 Q1013 NOSIG\n"
        f"METAR LFBD {seen:%d%H%M}Z 24018G38KT 3000 TSRA BKN020CB 21/18 Q1004\n"
    )


def at(minutes: int) -> str:
    """Write a time so many minutes from now."""
    return f"{now() + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def lines(*values: dict[str, object]) -> str:
    """Write JSON lines."""
    return "".join(json.dumps(each) + "\n" for each in values)
