"""Decode Mode S frames by the thousand: recordings, archives, many receivers. Needs numpy.

Fields stand in arrays, a set of arrays a kind of frame, under pyModeS's names; what is not among
them is read frame by frame through pyModeS (`Batch.fields`). One frame at a time is quicker with
`squitters`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.batch_commb import CommB, Known, read_commb
from aerocast_protocols.modes.batch_frames import (
    ALTITUDE_TABLE,
    SQUAWK_TABLE,
    Flags,
    Heads,
    Integers,
    Layout,
    Numbers,
    Rows,
    Texts,
    known,
    read_heads,
)
from aerocast_protocols.modes.batch_memory import LastHeard
from aerocast_protocols.modes.batch_positions import BatchPositions, Places, RawPositions
from aerocast_protocols.modes.batch_squitters import (
    AirbornePositions,
    Identifications,
    OperationalStatuses,
    Statuses,
    SurfacePositions,
    Velocities,
    airborne_positions,
    identifications,
    operational_statuses,
    statuses,
    surface_positions,
    velocities,
)
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.fields import ModeSFields
from aerocast_protocols.modes.integrity import NIC_TABLE
from aerocast_protocols.modes.parity import LARGEST_INTERROGATOR
from aerocast_protocols.modes.senders import squitter_sender

# A reply's address is believed this long after the same aircraft spoke with a clean parity.
CONFIRMED_S = 60.0
ALTITUDE_S = 10.0
GROUND_S = 5.0  # how old a motion over ground may be to judge a register by
VERSION_S = 300.0
_MADE_UP = 1 << 24  # laid over an address that is not the aircraft's own
_REPLY = np.isin(np.arange(32), (4, 5, 20, 21))
_COMM_B = np.isin(np.arange(32), (20, 21))
# By type code; the last, which -1 finds, for frames that have none.
_POSITION = np.isin(np.arange(33), (*range(5, 19), *range(20, 23)))
LAST_SURFACE_CODE = 8
_CPR = Layout((21, 1), (22, 17), (39, 17))
_NIC: Numbers = np.array(NIC_TABLE, np.float64)


class Replies(NamedTuple):
    """Surveillance and Comm-B replies: altitude in feet (df 4, 20) or squawk (df 5, 21)."""

    rows: Rows
    flight_status: Integers
    altitude: Numbers
    squawk: Texts


class _Heard(NamedTuple):
    """Each frame's sender, when it was heard, whether it speaks for itself with clean parity."""

    sender: Integers
    seen_at_s: Numbers
    speaks: Flags


class Batch(NamedTuple):
    """What a batch of frames says; see the sets for units.

    Attributes
    ----------
    heads
        One row a frame: format, address, parity.
    is_believed
        One row a frame: clean, or a reply with the address of an aircraft heard clean lately.
    airborne_places, surface_places
        Where the position frames of the same row were sent; NaN where that is not believed.
    airborne_nic, surface_nic
        Navigation integrity category of the same rows; NaN where the transmitter's version is
        unknown or 0.
    """

    heads: Heads
    is_believed: Flags
    identifications: Identifications
    airborne: AirbornePositions
    airborne_places: Places
    airborne_nic: Numbers
    surface: SurfacePositions
    surface_places: Places
    surface_nic: Numbers
    velocities: Velocities
    statuses: Statuses
    operational: OperationalStatuses
    replies: Replies
    comm_b: CommB

    def fields(self, row: int) -> ModeSFields:
        """Give everything that pyModeS reads in one frame.

        Raises
        ------
        ProtocolError
            The frame cannot be read.
        """
        from aerocast_protocols.modes.frames import (  # noqa: PLC0415 - loads pyModeS, if at all
            decode_frame,
        )

        octets = self.heads.octets[row].tobytes()
        return decode_frame(octets if octets[0] >= 0x80 else octets[:7])


class BatchDecoder:
    """Decodes batches in the order heard, remembering what belongs to several frames.

    Parameters
    ----------
    reference
        Where the receiver stands, degrees north and east: surface positions are solved by it, and
        positions beyond radio range of it are refused.
    """

    def __init__(self, reference: tuple[float, float] | None = None) -> None:
        self._positions = BatchPositions(None if reference is None else Position(*reference))
        self._clean = LastHeard(0, CONFIRMED_S)
        self._altitudes = LastHeard(1, ALTITUDE_S)
        self._motions = LastHeard(2, GROUND_S)
        self._versions = LastHeard(3, VERSION_S)

    def decode(self, frames: Sequence[bytes], seen_at_s: Numbers) -> Batch:
        """Decode frames.

        Parameters
        ----------
        frames
            7 or 14 bytes each, parity included.
        seen_at_s
            When they were heard, seconds on any clock, shape (n,).

        Raises
        ------
        ProtocolError
            A frame is not as long as its downlink format demands, or times are not as many as
            frames.
        """
        if len(frames) != len(seen_at_s):
            raise ProtocolError(f"{len(frames)} frames, {len(seen_at_s)} times")
        heads = read_heads(frames)
        heard = _heard(heads, seen_at_s)
        airborne, surface = airborne_positions(heads), surface_positions(heads)
        moving, replies = velocities(heads), _replies(heads)
        operational = operational_statuses(heads)
        places = self._solve(heads, heard)
        in_air_nic, on_ground_nic = self._integrity(heard, airborne, surface, operational)
        return Batch(
            heads=heads,
            is_believed=self._believe(heads, heard),
            identifications=identifications(heads),
            airborne=airborne,
            airborne_places=places.take(airborne.rows),
            airborne_nic=in_air_nic,
            surface=surface,
            surface_places=places.take(surface.rows),
            surface_nic=on_ground_nic,
            velocities=moving,
            statuses=statuses(heads),
            operational=operational,
            replies=replies,
            comm_b=self._comm_b(heads, heard, airborne, moving, replies),
        )

    def _believe(self, heads: Heads, heard: _Heard) -> Flags:
        sender, seen_at_s, speaks = heard
        clean = speaks.nonzero()[0]
        nothing = np.empty((0, len(clean)))
        memory = self._clean.add(sender[clean], clean, seen_at_s[clean], nothing)
        believed = speaks.copy()
        called = (heads.df == 11) & (heads.left <= LARGEST_INTERROGATOR)
        asked = ((_REPLY[heads.df] | called) & ~speaks).nonzero()[0]
        heard_s, _ = memory.before(sender[asked], asked, seen_at_s[asked], CONFIRMED_S)
        believed[asked] = ~np.isnan(heard_s)
        return believed

    def _solve(self, heads: Heads, heard: _Heard) -> Places:
        """Give the place of every frame: NaN for those that are no believed position."""
        sender, seen_at_s, speaks = heard
        rows = (_POSITION[heads.typecode] & speaks).nonzero()[0]
        odd, latitude, longitude = _CPR.cut(heads.content[rows])
        raw = RawPositions(
            address=sender[rows],
            row=rows,
            seen_at_s=seen_at_s[rows],
            on_surface=heads.typecode[rows] <= LAST_SURFACE_CODE,
            odd=odd,
            latitude=latitude,
            longitude=longitude,
        )
        places = Places(*np.full((2, len(heads.df)), np.nan))
        places.latitude[rows], places.longitude[rows] = self._positions.solve(raw)
        return places

    def _integrity(
        self,
        heard: _Heard,
        airborne: AirbornePositions,
        surface: SurfacePositions,
        operational: OperationalStatuses,
    ) -> tuple[Numbers, Numbers]:
        sender, seen_at_s, speaks = heard
        clean = speaks[operational.rows]
        rows = operational.rows[clean]
        told = (
            operational.version,
            operational.nic_supplement_a,
            operational.capability_class >> 4 & 1,  # supplement C, of a status on the ground
        )
        values = np.array([each[clean] for each in told], np.float64)
        memory = self._versions.add(sender[rows], rows, seen_at_s[rows], values)
        found = []
        for position in (airborne, surface):
            at = position.rows
            _, last = memory.before(sender[at], at, seen_at_s[at], VERSION_S)
            unknown = np.isnan(last[0])
            version, supplement_a, supplement = np.where(unknown, 0.0, last).astype(np.int64)
            if isinstance(position, AirbornePositions):
                supplement = position.nic_b
            nic = _NIC[version, position.typecode, supplement_a << 1 | supplement]
            found.append(np.where(unknown, np.nan, nic))
        return found[0], found[1]

    def _comm_b(
        self,
        heads: Heads,
        heard: _Heard,
        airborne: AirbornePositions,
        moving: Velocities,
        replies: Replies,
    ) -> CommB:
        sender, seen_at_s, speaks = heard
        clean = speaks[airborne.rows] & (airborne.typecode <= 18) & ~np.isnan(airborne.altitude)
        told = ~np.isnan(replies.altitude)
        rows = np.concatenate((airborne.rows[clean], replies.rows[told]))
        values = np.concatenate((airborne.altitude[clean], replies.altitude[told]))[None]
        altitudes = self._altitudes.add(sender[rows], rows, seen_at_s[rows], values)
        clean = speaks[moving.rows] & ~np.isnan(moving.groundspeed)
        rows = moving.rows[clean]
        values = np.array((moving.groundspeed[clean], moving.track[clean]))
        motions = self._motions.add(sender[rows], rows, seen_at_s[rows], values)
        rows = _COMM_B[heads.df].nonzero()[0]
        own = known(ALTITUDE_TABLE[heads.code[rows]], heads.df[rows] == 20)
        at = (sender[rows], rows, seen_at_s[rows])
        _, last = altitudes.before(*at, ALTITUDE_S)
        _, motion = motions.before(*at, GROUND_S)
        context = Known(np.where(np.isnan(own), last[0], own), motion[0], motion[1])
        return read_commb(rows, heads.content[rows], context)


def _heard(heads: Heads, seen_at_s: Numbers) -> _Heard:
    speaks = (heads.left == 0) & ((heads.df == 11) | (heads.df == 17))
    other = (heads.df == 18).nonzero()[0]
    sender = heads.address
    if len(other):
        sender = sender.copy()
        for row in other.tolist():
            told = squitter_sender(heads.octets[row].tobytes())
            speaks[row] = told is not None and heads.left[row] == 0
            if told is not None and not told.is_icao:
                sender[row] |= _MADE_UP
    return _Heard(sender, seen_at_s, speaks)


def _replies(heads: Heads) -> Replies:
    rows = _REPLY[heads.df].nonzero()[0]
    code, is_identity = heads.code[rows], heads.df[rows] & 1 == 1
    return Replies(
        rows=rows,
        flight_status=heads.first[rows],
        altitude=known(ALTITUDE_TABLE[code], ~is_identity),
        squawk=np.where(is_identity, SQUAWK_TABLE[code], b""),
    )
