"""What every command that needs agent.toml has in common: the option, and what to say without."""

import argparse
import sys
from pathlib import Path

from aerocast_agent.config import Config
from aerocast_agent.config_file import ConfigError, read_config

DEFAULT_CONFIG = "/etc/aerocast/agent.toml"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add ``--config``."""
    parser.add_argument("--config", default=DEFAULT_CONFIG, help=f"default {DEFAULT_CONFIG}")


def settings_of(options: argparse.Namespace) -> Config | None:
    """Read the configuration named; None after saying what is wrong with it."""
    try:
        return read_config(Path(options.config))
    except ConfigError as error:
        sys.stderr.write("\n".join(error.problems) + "\n")
        sys.stderr.write("Next: --config names another file; 'config check' checks this one.\n")
        return None
