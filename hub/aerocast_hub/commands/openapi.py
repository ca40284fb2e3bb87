"""`aerocast-hub openapi`."""

import argparse
import json

from aerocast_hub.app import create_app
from aerocast_hub.cli import services_argument
from aerocast_hub.commands.output import print_line
from aerocast_hub.settings import SERVICES, load_settings

EXAMPLE = "example: aerocast-hub openapi --services weather > weather.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--services", type=services_argument, default=",".join(SERVICES), help="some, by comma"
    )
    parser.add_argument("--json", action="store_true", help="it is JSON in any case")


def run(arguments: argparse.Namespace) -> int:
    """Print the OpenAPI description of some services."""
    print_line(description(arguments.services.split(",")))
    return 0


def description(names: list[str]) -> str:
    """Give the OpenAPI description of some services as JSON with sorted keys."""
    # Any database will do: none is opened.
    settings = load_settings(mode="dev", database_url="sqlite+aiosqlite://")
    schema = create_app(settings, names).openapi_schema.to_schema()
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False, default=str)
