"""``aerocast-agent profiles list|show|fields|schema``: the settings for models of device."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE, nearest
from aerocast_agent.profile_files import (
    FOLDER,
    ProfileError,
    find_profile,
    profile_names,
    read_profile,
)
from aerocast_agent.profile_pages import fields_page, schema
from aerocast_agent.profiles import Transmitter


def run(arguments: Sequence[str]) -> int:
    """List the profiles, or show one; exit status 1 when one holds a mistake."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent profiles",
        description="list: the profiles that came with the agent, to be named in agent.toml. "
        "show: one of them, or a file of your own; with --json every setting, those left to their "
        "default too. fields: what each field means, as a page. schema: JSON Schema for editors.",
        epilog="Example: aerocast-agent profiles show impinj-r700-etsi",
    )
    parser.add_argument("action", choices=["list", "show", "fields", "schema"])
    parser.add_argument("name", nargs="?", help="which one to show")
    parser.add_argument("--json", action="store_true", help="JSON lines")
    options = parser.parse_args(arguments)
    if options.action == "list":
        return _list(as_json=options.json)
    if options.action in {"fields", "schema"}:
        sys.stdout.write(schema() if options.action == "schema" else fields_page())
        return WELL
    if options.name is None:
        sys.stderr.write("show which?\nNext: 'aerocast-agent profiles list' names them.\n")
        return WRONG_USAGE
    return _show(options.name, as_json=options.json)


def _list(*, as_json: bool) -> int:
    status = WELL
    for name in profile_names():
        try:
            profile = find_profile(name)
        except ProfileError as error:
            status = REFUSED
            _put({"error": str(error), "input": name}, f"{name}: {error}\n", as_json=as_json)
            continue
        kind = str(profile.__struct_config__.tag)
        region = profile.region if isinstance(profile, Transmitter) else None
        told: dict[str, object] = {
            "name": name,
            "kind": kind,
            "vendor": profile.vendor,
            "model": profile.model,
            "region": region,
        }
        about = f"{profile.vendor} {profile.model}" + (f", {region}" if region else "")
        _put(told, f"{name:<28}{kind:<12}{about}\n", as_json=as_json)
    return status


def _show(name: str, *, as_json: bool) -> int:
    if name.endswith(".toml"):
        file = Path(name).absolute()
    elif name in profile_names():
        file = FOLDER / f"{name}.toml"
    else:
        sys.stderr.write(f"no profile {name!r}{nearest(name, profile_names())}\n")
        sys.stderr.write("Next: 'aerocast-agent profiles list' names them.\n")
        return WRONG_USAGE
    try:
        profile = read_profile(file)
    except ProfileError as error:
        sys.stderr.write(f"{error}\nNext: mend that line.\n")
        return REFUSED
    if as_json:
        sys.stdout.write(msgspec.json.encode(profile).decode() + "\n")
    else:
        sys.stdout.write(file.read_text(encoding="utf-8"))
    return WELL


def _put(told: dict[str, object], readable: str, *, as_json: bool) -> None:
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n" if as_json else readable)
