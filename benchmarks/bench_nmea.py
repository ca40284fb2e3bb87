"""Claim: NMEA is read at least five times as fast as by pynmeagps 1.1.8.

Both ways: a whole recording from bytes on, and RMC, GGA and GSA sentences alone, of which ours
reads every field it makes fixes of; of other sentences ours checks the checksum and splits the
fields, pynmeagps reads them too. Also printed: NAV-PVT of UBX beside pyubx2 1.4.0, and what the
numbers mean for a receiver at 10 Hz. Turn about, in processes of their own; processor time.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from aerocast_protocols.nmea.sentences import Sentence, encode_sentence
from aerocast_protocols.ubx.framing import encode_frame
from aerocast_protocols.ubx.navigation import NavPvt, encode_nav_pvt

HERE = Path(__file__).parent
PEER = HERE / ".venv" / "bin" / "python"
GPS = HERE.parents[1] / "shared" / "data" / "devices" / "gps"
PARSER = str(HERE / "gnss_parsers.py")
MESSAGES, ROUNDS, CLAIM = 20_000, 5, 5.0
SENTENCE = re.compile(rb"\$G[NP](?:RMC|GGA|GSA),[^*\r\n]*\*[0-9A-F]{2}\r\n")
EPOCH_US = 1_795_401_005_000_000


def main() -> None:
    """Measure in turns, print medians and ratios."""
    if not PEER.exists():
        print("pynmeagps and pyubx2 are not installed: make peers")
        return
    with tempfile.TemporaryDirectory() as folder:
        stream = _recordings()
        lines = b"".join(SENTENCE.findall(stream))
        for kind, peer, content, unit in (
            ("stream", "pynmeagps", stream, "sentences of whole recordings"),
            ("lines", "pynmeagps", lines, "RMC, GGA and GSA sentences"),
            ("ubx", "pyubx2", _ubx(), "NAV-PVT messages"),
        ):
            file = Path(folder) / kind
            file.write_bytes(content)
            _compare(kind, peer, file, unit)


def _compare(kind: str, peer: str, file: Path, unit: str) -> None:
    rates: dict[str, list[float]] = {"aerocast": [], peer: []}
    for _ in range(ROUNDS):
        for parser, python in (("aerocast", sys.executable), (peer, str(PEER))):
            told = subprocess.run(
                [python, PARSER, parser, kind, str(file)], capture_output=True, check=True
            )
            measured = json.loads(told.stdout)
            rates[parser].append(measured["count"] / measured["took_s"])
    ours, theirs = (statistics.median(each) for each in rates.values())
    for parser, each in rates.items():
        median = statistics.median(each)
        print(f"{parser:<10}{median:10,.0f} {unit} a second ({min(each):,.0f}-{max(each):,.0f})")
    claim = f"claim: at least {CLAIM:.0f}" if peer == "pynmeagps" else "no claim"
    print(f"ratio: {ours / theirs:.1f} ({claim}); 10 Hz of six: {60 / ours:.3%} of a processor")


def _recordings() -> bytes:
    """Give recordings of real receivers end to end, or made-up ones where they are not here."""
    logs = [GPS / f"{name}.log" for name in ("bu353s4", "gps-360", "neo-m8n", "quectel-L70")]
    if all(log.exists() for log in logs):
        text = b"".join(
            line
            for log in logs
            for line in log.read_bytes().splitlines(keepends=True)
            if not line.startswith(b"#")
        )
    else:
        print("devices/gps: shared data is not here, sentences are made up")
        place = ("4404.13387", "N", "12118.85628", "W")
        text = b"".join(
            encode_sentence(Sentence("GN", kind, fields))
            for second in range(60)
            for kind, fields in (
                ("RMC", (f"0009{second:02d}.00", "A", *place, "0.029", "", "100117", "", "", "A")),
                ("GGA", (f"0009{second:02d}.00", *place, "1", "12", "1.01", "1144.8", "M", "-21.4",
                         "M", "", "")),
                ("GSA", ("A", "3", *("23", "09", "16", "07", "26"), *[""] * 7, "1.71", "1.01",
                         "1.38")),
            )
        )  # fmt: skip
    return text * (MESSAGES // text.count(b"$") + 1)


def _ubx() -> bytes:
    return b"".join(
        encode_frame(
            encode_nav_pvt(
                NavPvt(
                    EPOCH_US + number * 100_000, True, True, 25, 3, True, 14, 43.6293,  # noqa: FBT003  as it is
                    1.3638 + number * 1e-6, 152.0, 1.5, 2.5, 0.5, 181.5, 1.42,
                )
            )
        )
        for number in range(MESSAGES)
    )  # fmt: skip


if __name__ == "__main__":
    main()
