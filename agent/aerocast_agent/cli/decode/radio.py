"""Radio samples of 1090 MHz. Needs numpy (extra ``sdr``)."""

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from aerocast_protocols.errors import ProtocolError

from aerocast_agent.cli.decode.kinds import Kind, Line
from aerocast_agent.recordings import Radio

if TYPE_CHECKING:
    from aerocast_agent.iq_recording import IqReading

PIECE = 262_144
TICKS_A_US = 12


def _iq(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    if importlib.util.find_spec("numpy") is None:
        raise ProtocolError("samples need numpy: pip install 'aerocast-agent[sdr]'")
    from aerocast_agent.iq_recording import IqReading  # noqa: PLC0415  numpy is an extra

    rate_hz = None if options.rate == "auto" else int(options.rate)
    reading = IqReading(options.format, Radio(rate_hz, options.engine, options.upsample))
    warned: str | None = None
    for heard in reading.frames(iter(lambda: source.read(PIECE), b"")):
        for each in heard:
            yield {
                "frame": each.frame.hex(),
                "time_us": round(each.ticks_12mhz / TICKS_A_US, 3),
                "signal_dbfs": round(each.signal_dbfs, 2),
                "repaired_bits": each.repaired_bits,
                "score": round(each.score, 3),
            }
        if reading.warning != warned:
            warned = reading.warning
            sys.stderr.write(f"{warned}\n")
    if reading.warning != warned:
        sys.stderr.write(f"{reading.warning}\n")
    sys.stderr.write(_summary(reading))


def _summary(reading: "IqReading") -> str:
    counts = reading.counts
    speed = reading.seconds() / reading.worked_s if reading.worked_s > 0 else 0.0
    return (
        f"{reading.seconds():.3f} s at {reading.rate_hz} samples a second: "
        f"candidates {counts.candidates}, accepted {counts.accepted} "
        f"(repaired {counts.repaired}), rejected {counts.rejected}, "
        f"real-time factor {speed:.1f}\n"
    )


def _for_iq(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rate",
        choices=("2000000", "2400000", "auto"),
        default="auto",
        help="samples a second; auto tries the first seconds (default)",
    )
    parser.add_argument(
        "--format",
        choices=("cu8", "cs16", "cf32"),
        default="cu8",
        help="how a sample is written (default cu8, as RTL-SDR sticks do)",
    )
    parser.add_argument(
        "--engine",
        choices=("numpy", "numba"),
        default="numpy",
        help="numba is compiled at first use and finer (extra sdr-fast)",
    )
    parser.add_argument(
        "--upsample",
        type=int,
        choices=(1, 2, 4, 8),
        help="how finely the signal is interpolated (default 2, numba 4)",
    )


KINDS = {"iq": Kind("radio samples around 1090 MHz", _iq, _for_iq)}
