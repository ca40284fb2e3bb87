"""``aerocast-agent diagnose``: checks, state, configuration and log in one file, here or sent."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aerocast_agent import VERSION
from aerocast_agent.asking import ask_daemon
from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.cli.doctor import checks
from aerocast_agent.cli.sending import send_all
from aerocast_agent.cli.settings import add_config
from aerocast_agent.config import Config
from aerocast_agent.config_file import ConfigError, read_config
from aerocast_agent.diagnostics import write_bundle
from aerocast_agent.status import read_spool


def run(arguments: Sequence[str]) -> int:
    """Write the bundle, or send it; 1 when it could not be."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent diagnose",
        description="Put what helps from afar into one ZIP file: what doctor finds, the state of "
        "the daemon, the configuration without its secrets, and the newest lines of the log. No "
        "observation is in it.",
        epilog="Example: sudo aerocast-agent diagnose --send",
    )
    add_config(parser)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--to", type=Path, metavar="FILE", help="a new file")
    way.add_argument("--send", action="store_true", help="to the hub's store of objects")
    parser.add_argument("--json", action="store_true", help="a JSON line")
    options = parser.parse_args(arguments)
    config = Path(options.config)
    settings: Config | None = None
    try:
        settings = read_config(config)
    except ConfigError as error:
        sys.stderr.write("\n".join(error.problems) + "\n")
        if options.send:
            sys.stderr.write("Next: mend it, or write the bundle with --to FILE.\n")
            return WRONG_USAGE
    if options.to is not None or settings is None:
        return _write(options.to, config, settings, as_json=options.json)
    with tempfile.TemporaryDirectory(prefix="aerocast-diagnose-") as folder:
        now = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())
        file = Path(folder, f"{now}.zip")
        _bundle(file, config, settings)
        return send_all(settings, "bundles", [file], as_json=options.json)


def _write(file: Path, config: Path, settings: Config | None, *, as_json: bool) -> int:
    try:
        _bundle(file, config, settings)
        size = file.stat().st_size
    except OSError as error:
        sys.stderr.write(f"aerocast-agent: {file} cannot be written: {error.strerror}\n")
        return REFUSED
    told = msgspec.json.encode({"file": str(file), "bytes": size}).decode()
    sys.stdout.write((told if as_json else f"{file}: {size} bytes") + "\n")
    return WELL


def _bundle(file: Path, config: Path, settings: Config | None) -> None:
    status = None
    if settings is not None:
        status = ask_daemon(settings.spool.path) or read_spool(settings, VERSION)
    write_bundle(file, settings, status, checks(config))
