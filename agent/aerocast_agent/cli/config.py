"""``aerocast-agent config show|check|schema``: what agent.toml says, and whether it is right."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aerocast_agent.cli import WELL, WRONG_USAGE
from aerocast_agent.cli.settings import DEFAULT_CONFIG
from aerocast_agent.config import Config
from aerocast_agent.config_file import ConfigError, read_config


def run(arguments: Sequence[str]) -> int:
    """Show, check or explain the configuration."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent config",
        description="show: as understood, defaults filled in. check: name every mistake. "
        "schema: JSON Schema of agent.toml.",
        epilog="Example: aerocast-agent config check agent.toml",
    )
    parser.add_argument("action", choices=["show", "check", "schema"])
    parser.add_argument("file", nargs="?", help=f"default {DEFAULT_CONFIG}")
    parser.add_argument("--config", help="the same, as elsewhere")
    parser.add_argument("--json", action="store_true", help="JSON lines")
    options = parser.parse_args(arguments)
    if options.action == "schema":
        schema = msgspec.json.schema(Config)
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(schema)).decode() + "\n")
        return WELL
    file = Path(options.file or options.config or DEFAULT_CONFIG)
    try:
        settings = read_config(file)
    except ConfigError as error:
        return _refuse(error, as_json=options.json)
    if options.action == "show":
        shown = msgspec.json.encode(settings)
        sys.stdout.write((shown if options.json else msgspec.json.format(shown)).decode() + "\n")
        return WELL
    return _check(settings, file, as_json=options.json)


def _check(settings: Config, file: Path, *, as_json: bool) -> int:
    """Build everything as the daemon would, which reads profiles and stands; start nothing."""
    from aerocast_agent.build import build  # noqa: PLC0415  only to check

    try:
        build(settings, lambda _: None)
    except ConfigError as error:
        return _refuse(error, as_json=as_json)
    if as_json:
        sys.stdout.write(msgspec.json.encode({"file": str(file), "problems": []}).decode() + "\n")
    else:
        counted = {"device": len(settings.devices), "belt": len(settings.belts)}
        there = ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for what, n in counted.items())
        sys.stdout.write(f"{file}: well. {there}.\n")
    return WELL


def _refuse(error: ConfigError, *, as_json: bool) -> int:
    if as_json:
        for problem in error.problems:
            sys.stdout.write(msgspec.json.encode({"error": problem}).decode() + "\n")
    else:
        sys.stderr.write("\n".join(error.problems) + "\n")
        sys.stderr.write("Next: mend the lines named; 'config schema' lists every key.\n")
    return WRONG_USAGE
