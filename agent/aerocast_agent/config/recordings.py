"""Settings of recordings that are played as if they happened now."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from aerocast_agent.config.tables import DeviceTable
from aerocast_agent.config.values import NotNegative, Text


class _Recording(DeviceTable, frozen=True, kw_only=True):
    """A recording played as if it happened now.

    Attributes
    ----------
    speed
        1.0 as recorded, 0 as fast as can be.
    start
        UTC at which the recording's first moment is placed: a TOML datetime, ISO 8601 text, or
        seconds since 1970-01-01. Absent: now.
    """

    file: Text
    speed: NotNegative = 1.0
    start: Annotated[str, msgspec.Meta(max_length=64)] | int | float | None = None

    @property
    def start_us(self) -> int | None:
        """Give ``start`` in microseconds UTC.

        Raises
        ------
        ValueError
            The text is no ISO 8601 date and time.
        """
        if self.start is None:
            return None
        if isinstance(self.start, str):
            begins = datetime.fromisoformat(self.start)
            if begins.tzinfo is None:
                begins = begins.replace(tzinfo=UTC)
            return round(begins.timestamp() * 1_000_000)
        return round(self.start * 1_000_000)


class Replay(_Recording, frozen=True, kw_only=True, tag="replay"):
    """A recording of any device."""

    format: Literal["llrp", "nmea", "beast", "modes", "scan"]


class AdsbFile(_Recording, frozen=True, kw_only=True, tag="adsb_file"):
    """A recording of Mode S messages, or of the radio samples they are in.

    Attributes
    ----------
    rate
        Samples a second, for formats ``cu8``, ``cs16`` and ``cf32``; ``auto`` finds out.
    engine
        What finds messages in samples: ``numpy``, or ``numba`` (extra sdr-fast).
    """

    format: Literal["beast", "modes", "cu8", "cs16", "cf32"]
    rate: Literal[2_000_000, 2_400_000, "auto"] = "auto"
    engine: Literal["numpy", "numba"] = "numpy"


Recording = Replay | AdsbFile
