"""Whose address a squitter carries, and who speaks: the aircraft, or a ground station for it.

DO-260B, and readsb 3.14.1642 in practice: df 17 is the aircraft's own transponder. df 18 says by
its control field what it is: 0 and 1 a device without transponder (own ICAO address, or another),
2 and 5 TIS-B (a ground station for aircraft it sees by radar), 6 ADS-R (a ground station repeating
another link's ADS-B). In 2, 5 and 6 the IMF bit says that the address is none of ICAO's.
"""

from typing import NamedTuple

from aerocast_protocols.observations.aircraft import AircraftSource

# ME bit (from 1) that carries IMF: surface position 21, airborne position 8, velocity 9.
_IMF_BITS = {
    **dict.fromkeys(range(5, 9), 21),
    **dict.fromkeys((*range(9, 19), *range(20, 23)), 8),
    19: 9,
}


class Sender(NamedTuple):
    """Who speaks in a squitter.

    Attributes
    ----------
    source
        Whose word it is.
    is_transponder
        False for ground stations, vehicles and other devices without a transponder.
    is_icao
        Whether the address is the one ICAO gave the aircraft.
    """

    source: AircraftSource
    is_transponder: bool
    is_icao: bool


TRANSPONDER = Sender("adsb", is_transponder=True, is_icao=True)
MULTILATERATION = Sender("mlat", is_transponder=False, is_icao=True)
_BY_CONTROL = {
    0: Sender("adsb", is_transponder=False, is_icao=True),
    1: Sender("adsb", is_transponder=False, is_icao=False),
    2: Sender("tisb", is_transponder=False, is_icao=True),
    5: Sender("tisb", is_transponder=False, is_icao=False),
    6: Sender("adsr", is_transponder=False, is_icao=True),
}
_WITH_IMF = frozenset({2, 5, 6})


def squitter_sender(frame: bytes) -> Sender | None:
    """Tell who sent a df 17 or df 18 frame of 14 bytes; None where that has no fixed form.

    Coarse TIS-B (control field 3), management (4) and reserved messages (7) are laid out otherwise.
    """
    if frame[0] >> 3 == 17:
        return TRANSPONDER
    control = frame[0] & 0x07
    sender = _BY_CONTROL.get(control)
    if sender is not None and control in _WITH_IMF and _has_imf(frame):
        return sender._replace(is_icao=False)
    return sender


def _has_imf(frame: bytes) -> bool:
    bit = _IMF_BITS.get(frame[4] >> 3)
    if bit is None:
        return False
    return bool(frame[4 + (bit - 1) // 8] >> (7 - (bit - 1) % 8) & 1)
