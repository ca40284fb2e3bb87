"""Read a recording with one parser and say what it took: ``gnss_parsers.py PARSER KIND FILE``.

Runs in our environment (``aerocast``) or in the peers' (``pynmeagps``, ``pyubx2``).
"""

import importlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

CHUNK = 512  # what a serial line delivers at a time


def main() -> None:
    """Print messages read and seconds of processor time as JSON."""
    parser, kind, file = sys.argv[1:]
    content = Path(file).read_bytes()
    work = {
        ("aerocast", "stream"): _our_fixes,
        ("aerocast", "lines"): _our_lines,
        ("aerocast", "ubx"): _our_fixes,
        ("pynmeagps", "stream"): _their_nmea_stream,
        ("pynmeagps", "lines"): _their_lines,
        ("pyubx2", "ubx"): _their_ubx_stream,
    }[parser, kind](content)
    began_s = time.process_time()
    count = work()
    print(json.dumps({"count": count, "took_s": time.process_time() - began_s}))


def _our_fixes(content: bytes) -> Callable[[], int]:
    """From bytes to fixes: framing, checksum, every field a fix is made of."""
    reader = importlib.import_module("aerocast_agent.positions").FixReader()
    framer = importlib.import_module("aerocast_protocols.ubx.framing").ReceiverBuffer()
    framer.feed(content)
    count = sum(1 for _ in framer.messages())

    def work() -> int:
        for at in range(0, len(content), CHUNK):
            for _ in reader.feed(content[at : at + CHUNK]):
                pass
        return count

    return work


def _our_lines(content: bytes) -> Callable[[], int]:
    decode = importlib.import_module("aerocast_protocols.nmea.sentences").decode_sentence
    fixes = importlib.import_module("aerocast_protocols.nmea.fixes").FixAssembler()
    lines = content.splitlines()

    def work() -> int:
        for line in lines:
            fixes.add(decode(line))
        return len(lines)

    return work


def _their_nmea_stream(content: bytes) -> Callable[[], int]:
    peer = importlib.import_module("pynmeagps")

    def work() -> int:
        reader = peer.NMEAReader(io.BytesIO(content), nmeaonly=False, quitonerror=peer.ERR_IGNORE)
        return sum(1 for _ in reader)

    return work


def _their_lines(content: bytes) -> Callable[[], int]:
    parse = importlib.import_module("pynmeagps").NMEAReader.parse
    lines = content.splitlines(keepends=True)

    def work() -> int:
        for line in lines:
            parse(line)
        return len(lines)

    return work


def _their_ubx_stream(content: bytes) -> Callable[[], int]:
    peer = importlib.import_module("pyubx2")

    def work() -> int:
        reader = peer.UBXReader(io.BytesIO(content), protfilter=peer.UBX_PROTOCOL)
        return sum(1 for _ in reader)

    return work


if __name__ == "__main__":
    main()
