"""``aerocast-agent send``: captures, IQ and raw bytes of devices, to the hub's store of objects."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from aerocast_agent.cli import WRONG_USAGE
from aerocast_agent.cli.sending import send_all
from aerocast_agent.cli.settings import add_config, settings_of


def run(arguments: Sequence[str]) -> int:
    """Send captures; exit status 1 when one was not taken."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent send",
        description="Send captures to the hub, which keeps each as captures/SITE/GATEWAY/NAME in "
        "its store of objects and writes over none. The gateway must be enrolled.",
        epilog="Example: rtl_sdr -f 1090000000 -s 2400000 -n 48000000 portal-noon.iq && sudo "
        "aerocast-agent send portal-noon.iq",
    )
    add_config(parser)
    parser.add_argument("file", type=Path, nargs="+", help="its name: letters, digits, . _ -")
    parser.add_argument("--json", action="store_true", help="a JSON line a file")
    options = parser.parse_args(arguments)
    settings = settings_of(options)
    if settings is None:
        return WRONG_USAGE
    return send_all(settings, "captures", options.file, as_json=options.json)
