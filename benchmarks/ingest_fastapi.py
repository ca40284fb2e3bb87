"""The peer of bench_ingest.py: the same request on FastAPI and uvicorn, nothing behind it."""

import sys
from typing import Annotated, Literal

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

Point = Literal[
    "acceptance", "screening", "sortation", "makeup", "loading", "transfer", "arrival", "reclaim"
]
Short = Annotated[str, Field(max_length=256)]
Plate = Annotated[str, Field(pattern="^[0-9]{10}$")]


class Reported(BaseModel):
    """What every event carries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Annotated[str, Field(min_length=1, max_length=64)]
    seen_at_us: Annotated[int, Field(ge=0, le=4_102_444_800_000_000)]


class ReportedRead(Reported):
    """A tag was read."""

    kind: Literal["tag_read"]
    epc: Annotated[str, Field(pattern="^([0-9A-Fa-f]{2}){0,62}$")]
    antenna: Annotated[int, Field(ge=0, le=65_535)] = 0
    rssi_dbm: Annotated[float, Field(ge=-200.0, le=100.0)] | None = None


class ReportedPassage(Reported):
    """A bag went by."""

    kind: Literal["bag_passage"]
    belt: Short
    point: Point
    licence_plate: Plate
    sigma_ms: Annotated[float, Field(ge=0.0, le=600_000.0)] = 1000.0
    confidence: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0


class ReportedScan(Reported):
    """A licence plate was scanned."""

    kind: Literal["code_scan"]
    licence_plate: Plate
    point: Point | None = None
    belt: Short | None = None


class Report(BaseModel):
    """Consecutive events."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: Annotated[int, Field(ge=0, le=2**62)] = 0
    first_sequence: Annotated[int, Field(ge=1, le=2**62)]
    events: Annotated[
        list[Annotated[ReportedRead | ReportedPassage | ReportedScan, Field(discriminator="kind")]],
        Field(min_length=1, max_length=1000),
    ]


class Kept(BaseModel):
    """What is stored."""

    epoch: int
    up_to_sequence: int
    highest_sequence: int
    missing: list[tuple[int, int]]
    refused: list[tuple[int, int]]
    retry_after_ms: int


app = FastAPI()


@app.post("/api/ingest/{site}")
async def take(site: str, report: Report) -> Kept:  # noqa: ARG001  the path has it
    """Take events in, and keep none."""
    last = report.first_sequence + len(report.events) - 1
    return Kept(
        epoch=report.epoch,
        up_to_sequence=last,
        highest_sequence=last,
        missing=[],
        refused=[],
        retry_after_ms=0,
    )


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
