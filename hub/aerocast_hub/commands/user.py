"""`aerocast-hub user add|list|disable|enable|reset`."""

import argparse
from importlib import import_module

EXAMPLE = "example: aerocast-hub user add anna --role operator"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line (the auth service's own)."""
    import_module("aerocast_hub.auth.commands").add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions."""
    status: int = import_module("aerocast_hub.auth.commands").run(arguments)
    return status
