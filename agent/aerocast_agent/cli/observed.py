"""Show an observation: as one JSON object, or as a line for people."""

import json
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from aerocast_protocols.observations.every import LANE_NAMES, Observation

from aerocast_agent.spool_reading import Seen, Times, Unreadable

_QUIET = frozenset({"kind", "device", "boot_ns"})


class Shown(NamedTuple):
    """A line put out: plain values only; ``refused`` when the observation cannot be read."""

    line: dict[str, object]
    refused: bool


def shown(seen: Seen, times: Times) -> Shown:
    """Give an observation's line, every field named, unknown ones as None, bytes as hex."""
    if isinstance(seen.observation, Unreadable):
        name = f"{LANE_NAMES[seen.lane]} {seen.epoch}/{seen.sequence}"
        error = f"{name}: {seen.observation.error}"
        return Shown({"error": error, "input": seen.observation.encoded.hex()}, refused=True)
    line: dict[str, object] = {
        "lane": LANE_NAMES[seen.lane],
        "epoch": seen.epoch,
        "sequence": seen.sequence,
        "seen_at_us": times.utc_us(seen.boot_id, seen.observation.boot_ns),
        "boot_id": None if seen.boot_id is None else seen.boot_id.hex(),
        **fields_of(seen.observation),
    }
    return Shown(line, refused=False)


def fields_of(observation: Observation) -> dict[str, object]:
    """Give every field of an observation, its kind first."""
    kind: object = type(observation).__struct_config__.tag
    values = {name: getattr(observation, name) for name in observation.__struct_fields__}
    return {
        "kind": kind,
        **{name: each.hex() if isinstance(each, bytes) else each for name, each in values.items()},
    }


def as_json(line: dict[str, object]) -> str:
    """Give a line as JSON, with its end."""
    return msgspec.json.encode(line).decode() + "\n"


def readable(line: dict[str, object]) -> str:
    """Give a line for people: when, what, from which device, then what is known."""
    if "error" in line:
        return f"refused: {line['error']}\n"
    at_us = line.get("seen_at_us")
    when = utc_text(at_us) if isinstance(at_us, int) else "time unknown"
    known = "  ".join(
        f"{name} {_plain(each)}"
        for name, each in line.items()
        if name not in {*_QUIET, "lane", "epoch", "sequence", "seen_at_us", "boot_id"}
        and each not in (None, "", (), {})
    )
    return f"{when:<24}{line['lane']!s:<9}{line['kind']!s:<22}{line['device']!s:<16}{known}\n"


def utc_text(at_us: int) -> str:
    """Give a time to the millisecond, ISO 8601, UTC; the bare number when it has no date."""
    try:
        at = datetime.fromtimestamp(at_us / 1e6, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{at_us} us"
    return at.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def _plain(each: object) -> str:
    if isinstance(each, float):
        return f"{each:.6g}" if abs(each) < 1e6 else f"{each:.3f}"
    return each if isinstance(each, str) else json.dumps(each)
