"""Passengers in every situation, for one hub: their flights, their bags, and who heard what."""

import json
from datetime import timedelta

from aerocast_protocols.observations.aircraft import AircraftGroundEvent

from tests.hub.browser.day import at, now
from tests.hub.browser.gateway import boot_ns
from tests.hub.browser.test_live_data import passage

SURNAME = "Bernard"

# Situation -> a bag tag of somebody in it, and the flight it is on.
TRAVELLERS = {
    "departure": ("0220700001", "BA2000"),
    "in_flight": ("0220700002", "IB3000"),
    "arriving": ("0220700003", "AF7000"),
    "connecting": ("0220700004", "AF7000"),
    "missed": ("0220700005", "AF7000"),
    "missing": ("0220700006", "KL8000"),
    "delayed": ("0220700007", "IB3000"),
    "no_news": ("0220700008", "XX9000"),
    "ramp_closed": ("0220700009", "AF7100"),
    "done": ("0220700010", "KL8000"),
    "unknown": ("0220700011", "ZZ1"),
}
_THROUGH = {"connecting": "BA2000", "missed": "BA2100"}
_PARKED = {"AF7000": ("39a001", 4, "B16"), "KL8000": ("39a002", 75, "B16")}


def _date():
    return now() - timedelta(minutes=150)


def _flight(designator, off, on, leg=("ORY", "TLS"), **more):
    """Give a flight by the minutes from now at which it leaves and arrives."""
    icao = _PARKED.get(designator, (None,))[0]
    return {
        "flight": designator, "date": f"{_date():%Y-%m-%d}", "callsign": designator, "icao": icao,
        "registration": None, "from": leg[0], "to": leg[1], "scheduled_off_block": at(off),
        "scheduled_on_block": at(on), "stand": "B16", "reclaim": "4", "gate": None, **more,
    }  # fmt: skip


def flights():
    """Give everybody's flights."""
    return [
        _flight("BA2000", 58, 160, ("TLS", "LHR"), gate="12", reclaim=None),
        _flight("BA2100", 12, 100, ("TLS", "LHR"), gate="12", reclaim=None),
        _flight("IB3000", -50, 30),
        _flight("AF7000", -80, -20),
        _flight("KL8000", -140, -80),
        _flight("XX9000", -130, -60),
        _flight("AF7100", -70, -2, ("ORY", "BOD"), icao="39a003", reclaim="3"),
    ]


def lines(values):
    return "".join(json.dumps(each) + "\n" for each in values)


def messages():
    """Give baggage messages: a passenger's bag each, some of which go on to another flight."""
    return "".join(_message(name, plate, flight) for name, (plate, flight) in TRAVELLERS.items())


def _message(name, plate, flight):
    origin, destination = _leg(flight)
    owner = f".P/1{SURNAME.upper()}/{name.upper()}\n.L/PN{plate[-4:]}\nENDBSM\n"
    day = f"{_date():%d%b}".upper()
    if name in _THROUGH:
        legs = f".V/1TTLS\n.I/{flight}/{day}/{origin}\n.F/{_THROUGH[name]}/{day}/LHR\n"
    else:
        legs = f".V/1L{origin}\n.F/{flight}/{day}/{destination}\n"
    rush = ".E/RUSH\n" if name == "delayed" else ""
    return f"BSM\n{legs}.N/{plate}001\n{rush}{owner}"


def heard():
    """Give what a gateway heard: aircraft that land and park, and bags at belts."""
    told = [
        _ground(icao, designator, event, ago_min, stand)
        for designator, (icao, ago, stand) in _PARKED.items()
        for event, ago_min in (("landed", ago + 5), ("on_stand", ago))
    ]
    told.append(_ground("39a003", "AF7100", "landed", 8, None))
    told.append(_ground("39a003", "AF7100", "on_stand", 3, "B16"))
    told.append(passage("loading", "belt-4", TRAVELLERS["arriving"][0], 5400))
    told.append(passage("reclaim", "belt-4", TRAVELLERS["done"][0], 1800))
    return told


def _ground(icao, callsign, event, ago_min, stand):
    return AircraftGroundEvent(
        device="sky",
        boot_ns=boot_ns() - int(ago_min * 60e9),
        known_at_boot_ns=boot_ns(),
        icao=icao,
        callsign=callsign,
        event=event,
        sigma_s=4.0,
        stand=stand if event == "on_stand" else None,
    )


def _leg(designator):
    known = {each["flight"]: (each["from"], each["to"]) for each in flights()}
    return known.get(designator, ("ORY", "TLS"))
