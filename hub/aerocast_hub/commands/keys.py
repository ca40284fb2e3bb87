"""`aerocast-hub keys list|rotate`."""

import argparse
from importlib import import_module

EXAMPLE = "example: aerocast-hub keys rotate"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line (the auth service's own)."""
    import_module("aerocast_hub.auth.key_commands").add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions."""
    status: int = import_module("aerocast_hub.auth.key_commands").run(arguments)
    return status
