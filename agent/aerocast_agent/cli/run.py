"""``aerocast-agent run``: the daemon, in the foreground, logging to standard error."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE
from aerocast_agent.imports import DETOURS, NEWER_TYPES, PROXIES, TLS, leaving_out


def run(arguments: Sequence[str]) -> int:
    """Run until told to stop."""
    with leaving_out(NEWER_TYPES):
        from aerocast_agent.cli.settings import add_config  # noqa: PLC0415  not all it brings
        from aerocast_agent.config import may_speak_tls  # noqa: PLC0415  as above
        from aerocast_agent.config_file import ConfigError, read_config  # noqa: PLC0415  as above

    parser = argparse.ArgumentParser(
        prog="aerocast-agent run",
        description="Run the gateway's daemon until SIGTERM; logs go to standard error.",
        epilog="Example: aerocast-agent run --config /etc/aerocast/agent.toml",
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="log one JSON object a line")
    options = parser.parse_args(arguments)
    _log(as_json=options.json)
    try:
        settings = read_config(Path(options.config))
    except ConfigError as error:
        return _refuse(error.problems, options.config)
    unused = DETOURS if may_speak_tls(settings) else (*DETOURS, *TLS)
    with leaving_out(*unused, empty=(PROXIES,)):
        import asyncio  # noqa: PLC0415  after the check, and not all of it

        from aerocast_agent.daemon import AlreadyRunning, Daemon  # noqa: PLC0415  as above

    try:
        asyncio.run(Daemon(settings, Path(options.config)).run())
    except ConfigError as error:
        return _refuse(error.problems, options.config)
    except AlreadyRunning as error:
        sys.stderr.write(f"{error}\nNext: 'aerocast-agent status' shows it.\n")
        return REFUSED
    return WELL


def _refuse(problems: Sequence[str], config: str) -> int:
    sys.stderr.write("\n".join(problems) + "\n")
    sys.stderr.write(f"Next: mend it and try 'aerocast-agent config check {config}'.\n")
    return WRONG_USAGE


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        import msgspec  # noqa: PLC0415  only with --json

        told = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(told).decode()


def _log(*, as_json: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(levelname)s %(name)s: %(message)s")
    handler.setFormatter(_JsonLines() if as_json else plain)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
