"""`aerocast-hub serve`."""

import argparse
import gc

from aerocast_hub.cli import services_argument
from aerocast_hub.settings import load_settings

EXAMPLE = "example: aerocast-hub serve --services weather --port 8003"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--services", type=services_argument, help="some of them, by comma")
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on")
    parser.add_argument("--json", action="store_true", help="logs are JSON lines already")


def run(arguments: argparse.Namespace) -> int:
    """Serve until asked to stop."""
    # What is imported and put together is no garbage, and takes a sixth longer when some is looked
    # for: `serve` looks from when it stands.
    gc.disable()
    try:
        from aerocast_hub.serve import serve  # noqa: PLC0415  the whole hub: not for --help

        given = {
            "services": arguments.services,
            "http_host": arguments.host,
            "http_port": arguments.port,
        }
        serve(load_settings(**{name: value for name, value in given.items() if value is not None}))
    finally:
        gc.enable()
    return 0
