"""Hold the batch decoder to pyModeS's PipeDecoder, field by field, and name every difference.

Texts that stand for codes (wake_vortex, capability_text) are left to pyModeS, and so are registers
1,0, 1,7 and 3,0, target states and resolution advisories: `Batch.fields` reads them through it.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from aerocast_protocols.modes.batch_commb import AMBIGUOUS
from aerocast_protocols.modes.batch_decoder import Batch, BatchDecoder
from aerocast_protocols.modes.batch_positions import FARTHEST_M, distances_m
from pyModeS import PipeDecoder

SAME = "same"
UNEXPLAINED = "UNEXPLAINED"
AMBIGUOUS_HERE = "register: pyModeS names several and reads the first, we read none"
RESOLVED = "register: pyModeS names several and reads the first, we tell them apart"
JUMPED = "pyModeS blanks a jump of speed, track or altitude, we report what was sent"
FAR = "place: we refuse what is beyond radio range of the receiver"
SINGLE = "place: pyModeS solves single surface frames by the receiver's own place, near or not"
SOONER = "place: we believe the second that agrees, pyModeS waits for a third"
SAME_PLACE_DEG = 1e-6
BATCH = 1024
_SOURCES = {None: None, "unknown": 0, "aircraft_altitude": 1, "mcp_fcu": 2, "fms": 3}


class Told(NamedTuple):
    """What pyModeS says of a frame, and the place it gives when the frame comes in."""

    fields: dict[str, object]
    latitude: float | None
    longitude: float | None


def differences(
    frames: Sequence[bytes], seen_at_s: Sequence[float], reference: tuple[float, float]
) -> Counter[str]:
    """Count compared values: same, or why not."""
    told = list(_by_pymodes(frames, seen_at_s, reference))
    decoder = BatchDecoder(reference)
    times = np.asarray(seen_at_s, np.float64)
    reasons: Counter[str] = Counter()
    for start in range(0, len(frames), BATCH):
        batch = decoder.decode(frames[start : start + BATCH], times[start : start + BATCH])
        theirs = told[start : start + BATCH]
        for compare in (_heads, _fields, _registers):
            reasons.update(compare(batch, theirs))
        reasons.update(_places(batch, theirs, reference))
    return reasons


def _by_pymodes(
    frames: Sequence[bytes], seen_at_s: Sequence[float], reference: tuple[float, float]
) -> Iterator[Told]:
    pipe = PipeDecoder(surface_ref=reference)
    for frame, at_s in zip(frames, seen_at_s, strict=True):
        fields = pipe.decode(frame.hex(), timestamp=at_s)
        # Now: it fills places in later, and then into earlier frames too.
        yield Told(fields, fields.get("latitude"), fields.get("longitude"))


def _heads(batch: Batch, told: Sequence[Told]) -> Iterator[str]:
    heads = batch.heads
    rows = zip(heads.df, heads.address, heads.left, heads.typecode, told, strict=True)
    for df, address, left, typecode, (fields, _, _) in rows:
        is_squitter = df in (17, 18)
        ours = (df, f"{address:06X}", left == 0 if is_squitter else None)
        theirs = (fields["df"], fields["icao"], fields["crc_valid"])
        is_same = ours == theirs and fields.get("typecode", -1) == typecode
        yield SAME if is_same else UNEXPLAINED


def _fields(batch: Batch, told: Sequence[Told]) -> Iterator[str]:
    comm_b = batch.comm_b
    sets = (
        batch.identifications,
        batch.airborne,
        batch.surface,
        batch.velocities,
        batch.statuses,
        batch.operational,
        batch.replies,
        comm_b.intentions,
        comm_b.turns,
        comm_b.headings,
    )
    registers = {id(comm_b.intentions): "4,0", id(comm_b.turns): "5,0", id(comm_b.headings): "6,0"}
    for each in sets:
        for name in each._fields[1:]:
            for row, value in zip(each.rows.tolist(), getattr(each, name).tolist(), strict=True):
                fields = told[row].fields
                if registers.get(id(each), fields.get("bds")) != fields.get("bds"):
                    continue  # another register read: counted with the registers
                if name == "flight_status" and fields["df"] in (20, 21):
                    continue  # read by us alone
                yield _compared(value, name, fields)


def _compared(value: object, name: str, fields: dict[str, object]) -> str:
    theirs = fields.get(name)
    if name == "target_altitude_source":
        theirs = _SOURCES[theirs]
    if isinstance(value, bytes):
        ours: object = value.decode() or ("" if theirs == "" else None)
    else:
        ours = None if isinstance(value, float) and math.isnan(value) else value
    if ours == theirs:
        return SAME
    if isinstance(ours, float) and isinstance(theirs, int | float):
        # Angles of velocities: the last bit of two arctangents.
        return SAME if math.isclose(ours, theirs, rel_tol=1e-12) else UNEXPLAINED
    return JUMPED if _is_blanked(fields) else UNEXPLAINED


def _registers(batch: Batch, told: Sequence[Told]) -> Iterator[str]:
    for row, register in zip(batch.comm_b.rows.tolist(), batch.comm_b.bds.tolist(), strict=True):
        fields = told[row].fields
        ours = f"{register >> 4:X},{register & 15:X}" if register else None
        if ours == fields.get("bds"):
            yield SAME
        elif _is_blanked(fields):
            yield JUMPED
        elif fields.get("bds_candidates"):
            yield AMBIGUOUS_HERE if register == AMBIGUOUS else RESOLVED
        else:
            yield UNEXPLAINED


def _places(batch: Batch, told: Sequence[Told], reference: tuple[float, float]) -> Iterator[str]:
    for frames, places in (
        (batch.airborne, batch.airborne_places),
        (batch.surface, batch.surface_places),
    ):
        rows = zip(frames.rows.tolist(), places.latitude, places.longitude, strict=True)
        for row, latitude, longitude in rows:
            _, their_latitude, their_longitude = told[row]
            if their_latitude is None or their_longitude is None:
                yield SAME if math.isnan(latitude) else SOONER
            elif math.isnan(latitude):
                there = np.array([their_latitude]), np.array([their_longitude])
                yield FAR if distances_m(*reference, *there)[0] > FARTHEST_M else SINGLE
            else:
                apart = max(abs(latitude - their_latitude), abs(longitude - their_longitude))
                yield SAME if apart <= SAME_PLACE_DEG else UNEXPLAINED


def _is_blanked(fields: dict[str, object]) -> bool:
    return bool(fields.get("velocity_mismatch") or fields.get("altitude_mismatch"))
