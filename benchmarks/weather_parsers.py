"""Read reports with one parser and say what it took: ``weather_parsers.py PARSER KIND FILE``.

``KIND`` is ``metar`` or ``taf``; ``FILE`` holds JSON lines, a raw text and its day each. Runs in
our environment (``aerocast``) or in the peers' (``avwx``, ``python-metar``, ``mivek``). Told are
the first reading of the file and the median of three, after a hundred reports to warm up.
"""

import importlib
import json
import logging
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

WARMING = 100
ROUNDS = 3
Report = tuple[str, str]  # text, day
Read = Callable[..., object]
# How reports become what a parser takes, made before the clock runs; and the parser.
Parser = tuple[Callable[[Report], tuple[object, ...]], Read]


def main() -> None:
    """Print reports a second at first and in the median, and how many raised, as JSON."""
    parser, kind, file = sys.argv[1:]
    logging.disable()
    warnings.simplefilter("ignore")
    prepare, read = PARSERS[parser, kind]()
    reports = [prepare(tuple(json.loads(line))) for line in Path(file).read_text().splitlines()]
    _raised(read, reports[:WARMING])
    rates = []
    raised = 0
    for _ in range(ROUNDS):
        began_s = time.process_time()
        raised = _raised(read, reports)
        rates.append(len(reports) / (time.process_time() - began_s))
    print(json.dumps({"first": rates[0], "median": statistics.median(rates), "raised": raised}))


def _raised(read: Read, reports: Sequence[tuple[object, ...]]) -> int:
    raised = 0
    for report in reports:
        try:
            read(*report)
        except Exception:  # noqa: BLE001  whatever it raises is counted
            raised += 1
    return raised


def _our_metar() -> Parser:
    return _with_end_us, importlib.import_module("aerocast_protocols.weather.metar").decode_metar


def _our_taf() -> Parser:
    decode = importlib.import_module("aerocast_protocols.weather.taf").decode_taf
    timeline = importlib.import_module("aerocast_protocols.weather.taf_timeline").timeline
    return _with_end_us, lambda text, now_us: timeline(decode(text, now_us))


def _with_end_us(report: Report) -> tuple[str, int]:
    end = datetime.fromisoformat(f"{report[1]}T23:00:00").replace(tzinfo=UTC)
    return report[0], round(end.timestamp()) * 1_000_000


def _avwx(name: str) -> Parser:
    read = getattr(importlib.import_module("avwx"), name).from_report
    return lambda report: (report[0], date.fromisoformat(report[1])), read


def _python_metar() -> Parser:
    read = partial(importlib.import_module("metar.Metar").Metar, strict=False)
    return lambda report: (report[0],), read


def _mivek(name: str) -> Parser:
    read = getattr(importlib.import_module("metar_taf_parser.parser.parser"), name)().parse
    return lambda report: (report[0],), read


PARSERS: dict[tuple[str, str], Callable[[], Parser]] = {
    ("aerocast", "metar"): _our_metar,
    ("aerocast", "taf"): _our_taf,
    ("avwx", "metar"): lambda: _avwx("Metar"),
    ("avwx", "taf"): lambda: _avwx("Taf"),
    ("python-metar", "metar"): _python_metar,
    ("mivek", "metar"): lambda: _mivek("MetarParser"),
    ("mivek", "taf"): lambda: _mivek("TAFParser"),
}


if __name__ == "__main__":
    main()
