"""Read reports with one parser and say what it took: ``weather_parsers.py PARSER KIND FILE``.

``KIND`` is ``metar`` or ``taf``; ``FILE`` holds JSON lines, a raw text and its day each. Runs in
our environment (``aerocast``) or in the peers' (``avwx``, ``python-metar``, ``mivek``). Told are
the first reading of the file and the quickest, after a hundred reports to warm up.
"""

import importlib
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

WARMING = 100
Report = tuple[str, str]  # text, day


def main() -> None:
    """Print reports a second at first and at best, and how many raised, as JSON."""
    parser, kind, file = sys.argv[1:]
    reports = [tuple(json.loads(line)) for line in Path(file).read_text().splitlines()]
    logging.disable()
    warnings.simplefilter("ignore")
    read = PARSERS[parser, kind]()
    for report in reports[:WARMING]:
        _raises(read, report)
    rates = []
    raised = 0
    for _ in range(3):
        began_s = time.process_time()
        raised = sum(_raises(read, report) for report in reports)
        rates.append(len(reports) / (time.process_time() - began_s))
    print(json.dumps({"first": rates[0], "best": max(rates), "raised": raised}))


def _raises(read: Callable[[Report], object], report: Report) -> bool:
    try:
        read(report)
    except Exception:  # noqa: BLE001  whatever it raises is counted
        return True
    return False


def _our_metar() -> Callable[[Report], object]:
    decode = importlib.import_module("aerocast_protocols.weather.metar").decode_metar
    return lambda report: decode(report[0], _end_of_us(report[1]))


def _our_taf() -> Callable[[Report], object]:
    decode = importlib.import_module("aerocast_protocols.weather.taf").decode_taf
    timeline = importlib.import_module("aerocast_protocols.weather.taf_timeline").timeline
    return lambda report: timeline(decode(report[0], _end_of_us(report[1])))


def _end_of_us(day: str, known: dict[str, int] = {}) -> int:  # noqa: B006  remembers
    if day not in known:
        end = datetime.fromisoformat(f"{day}T23:00:00").replace(tzinfo=UTC)
        known[day] = round(end.timestamp()) * 1_000_000
    return known[day]


def _avwx(name: str) -> Callable[[Report], object]:
    kind = getattr(importlib.import_module("avwx"), name)
    return lambda report: kind.from_report(report[0], issued=date.fromisoformat(report[1]))


def _python_metar() -> Callable[[Report], object]:
    kind = importlib.import_module("metar.Metar").Metar
    return lambda report: kind(report[0], strict=False)


def _mivek(name: str) -> Callable[[Report], object]:
    parser = getattr(importlib.import_module("metar_taf_parser.parser.parser"), name)()
    return lambda report: parser.parse(report[0])


PARSERS: dict[tuple[str, str], Callable[[], Callable[[Report], object]]] = {
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
