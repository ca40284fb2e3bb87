"""``aerocast-agent profiles list|show|apply|fields|schema``: settings for models of device."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from aerocast_agent.adjusting import Adjusted
from aerocast_agent.asking import NotPermittedError, ask_of_device
from aerocast_agent.attending import UnknownDeviceError, adjust_alone, device_of
from aerocast_agent.build import driver_of
from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE, nearest
from aerocast_agent.cli.settings import add_config, settings_of
from aerocast_agent.config import Config, Device
from aerocast_agent.driver import Driver, Setting
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
        "default too. apply: bring a device to the profile that agent.toml names for it: what "
        "differs is written and read back; if anything is not taken, the former settings are put "
        "back. The device is not read meanwhile. fields: what each field means, as a page. schema: "
        "JSON Schema for editors.",
        epilog="Example: aerocast-agent profiles apply portal-4 --dry-run",
    )
    add_config(parser)
    parser.add_argument("action", choices=["list", "show", "apply", "fields", "schema"])
    parser.add_argument("name", nargs="?", help="which profile to show, or which device to set")
    parser.add_argument(
        "--dry-run", action="store_true", help="only read back, and show what differs"
    )
    parser.add_argument("--json", action="store_true", help="JSON lines")
    options = parser.parse_args(arguments)
    if options.action == "list":
        return _list(as_json=options.json)
    if options.action in {"fields", "schema"}:
        sys.stdout.write(schema() if options.action == "schema" else fields_page())
        return WELL
    if options.name is None:
        them = "devices" if options.action == "apply" else "profiles list"
        sys.stderr.write(f"{options.action} which?\nNext: 'aerocast-agent {them}' names them.\n")
        return WRONG_USAGE
    if options.action == "apply":
        return _apply(options)
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


def _apply(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    if settings is None:
        return WRONG_USAGE
    try:
        device = device_of(settings, options.name)
        adjusted = _adjust(settings, device, dry_run=options.dry_run)
    except UnknownDeviceError as error:
        names = [each.name for each in settings.devices]
        sys.stderr.write(f"{error}{nearest(options.name, names)}\n")
        sys.stderr.write("Next: 'aerocast-agent devices' lists them.\n")
        return WRONG_USAGE
    except NotPermittedError as error:
        sys.stderr.write(f"{error}\nNext: try with sudo.\n")
        return REFUSED
    if options.json:
        sys.stdout.write(msgspec.json.encode(adjusted).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_adjusted_lines(adjusted, dry_run=options.dry_run)) + "\n")
    return REFUSED if adjusted.error else WELL


def _adjust(settings: Config, device: Device, *, dry_run: bool) -> Adjusted:
    ask: Literal["compare", "adjust"] = "compare" if dry_run else "adjust"
    adjusted = ask_of_device(settings.spool.path, ask, device.name, Adjusted)
    if adjusted is not None:
        return adjusted

    def make(_name: str) -> Driver:
        return driver_of(settings, device)

    return asyncio.run(adjust_alone(device, make, dry_run=dry_run))


def _adjusted_lines(adjusted: Adjusted, *, dry_run: bool) -> Iterator[str]:
    for each in adjusted.differences:
        was, becomes = _worded(each.device), _worded(each.profile)
        yield f"  {each.key:<28}{was} -> {becomes}"
    if adjusted.untold:
        yield f"  not told by the device, left as it is: {', '.join(adjusted.untold)}"
    if adjusted.error:
        yield f"{adjusted.device}: not applied: {adjusted.error}"
        if adjusted.rolled_back:
            yield "The former settings are back. Next: mend the profile, or the device's firmware."
    elif not adjusted.differences:
        yield f"{adjusted.device}: as {adjusted.profile} says"
    elif dry_run:
        yield f"{adjusted.device}: differs in {len(adjusted.differences)}. Next: without --dry-run"
    else:
        yield f"{adjusted.device}: {len(adjusted.differences)} settings written and read back"


def _worded(setting: Setting) -> str:
    return ", ".join(str(each) for each in setting) if isinstance(setting, tuple) else str(setting)


def _put(told: dict[str, object], readable: str, *, as_json: bool) -> None:
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n" if as_json else readable)
