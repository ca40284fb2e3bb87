"""Read agent.toml, and say of every mistake where it is, what it is, and what was expected."""

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, TypeVar, get_args, get_origin
from urllib.parse import urlsplit

import msgspec

from aerocast_agent.config import (
    KINDS,
    R700,
    WITH_PROFILE,
    AdsbFile,
    AdsbRtlSdr,
    Aircraft,
    Belt,
    Config,
    Device,
    Gateway,
    Hub,
    NetworkReader,
    Position,
    Receiver,
    Recording,
    Replay,
    Rfid,
    Spool,
    TcpScannerServer,
)
from aerocast_agent.toml_lines import Path as KeyPath
from aerocast_agent.toml_lines import find_lines

T = TypeVar("T", bound=msgspec.Struct)
_TABLES: dict[str, type[msgspec.Struct]] = {
    "gateway": Gateway,
    "hub": Hub,
    "spool": Spool,
    "aircraft": Aircraft,
}
_ARRAYS = ("device", "belt")
_FILES = frozenset({"file", "badge_key", "password_file", "ca"})  # keys of devices that name one
_HUBS_FILES = ("certificate", "key", "ca", "login")
_WHERE = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(\w+)`")


class ConfigError(Exception):
    """agent.toml cannot be used; ``problems`` are whole sentences, one for each mistake."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def read_config(path: Path) -> Config:
    """Read a configuration; relative paths in it count from the file's own folder.

    Raises
    ------
    ConfigError
        The file cannot be read, or holds mistakes: all that were found are named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror or error}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text: {error.reason}"]) from error
    return parse_config(text, name=str(path), folder=path.absolute().parent)


def parse_config(text: str, *, name: str, folder: Path) -> Config:
    """Read a configuration's text; ``name`` is what errors call it.

    Raises
    ------
    ConfigError
        As `read_config`.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        at = f":{line.group(1)}" if line else ""
        raise ConfigError([f"{name}{at}: not TOML: {error}"]) from error
    reading = _Reading(name, find_lines(text), tables)
    config = reading.config()
    if config is None or reading.problems:
        raise ConfigError(reading.problems)
    return _with_whole_paths(config, folder)


class _Reading:
    """One pass over one file; collects problems instead of stopping at the first."""

    def __init__(self, name: str, lines: dict[KeyPath, int], tables: dict[str, object]) -> None:
        self.problems: list[str] = []
        self._name = name
        self._lines = lines
        self._tables = tables

    def config(self) -> Config | None:
        for key, table in self._tables.items():
            if key not in _TABLES and key not in _ARRAYS:
                self._unknown((key,), [*_TABLES, *_ARRAYS])
            elif key in _ARRAYS and not (
                isinstance(table, list) and all(isinstance(each, dict) for each in table)
            ):
                self._problem((key,), f"expected [[{key}]], a table for each {key}")
        if "gateway" not in self._tables:
            self._problem((), "table [gateway] with site and name is missing")
        if self.problems:
            return None
        parts = {
            key: self._struct((key,), self._tables.get(key, {}), of)
            for key, of in _TABLES.items()
            if key in self._tables
        }
        devices = [self._device(("device", n), each) for n, each in self._each("device")]
        belts = [self._struct(("belt", n), each, Belt) for n, each in self._each("belt")]
        if self.problems:
            return None
        config = msgspec.convert(
            {**parts, "device": devices, "belt": belts}, Config, from_attributes=True
        )
        self._check(config)
        return config

    def _each(self, key: str) -> Iterator[tuple[int, dict[str, object]]]:
        tables = self._tables.get(key, [])
        if isinstance(tables, list):
            yield from enumerate(tables)

    def _device(self, path: KeyPath, table: dict[str, object]) -> Device | None:
        kind = table.get("kind")
        known = ", ".join(KINDS)
        if kind is None:
            self._problem(path, f"key kind is missing: expected one of {known}")
        elif not isinstance(kind, str):
            self._problem((*path, "kind"), f"{kind!r}: expected one of {known}")
        elif kind not in KINDS:
            near = _nearest(kind, KINDS)
            self._problem((*path, "kind"), f"kind {kind!r} is unknown{near}")
        else:
            whole = {
                key: each.isoformat() if isinstance(each, datetime) else each
                for key, each in table.items()
            }
            return self._struct(path, whole, KINDS[kind])
        return None

    def _struct(self, path: KeyPath, table: object, of: type[T]) -> T | None:
        if isinstance(table, dict) and self._has_unknown_keys(path, table, of):
            return None
        try:
            return msgspec.convert(table, of)
        except msgspec.ValidationError as error:
            self._explain(path, table, of, str(error))
            return None

    def _has_unknown_keys(
        self, path: KeyPath, table: dict[str, object], of: type[msgspec.Struct]
    ) -> bool:
        before = len(self.problems)
        known = [field.encode_name for field in msgspec.structs.fields(of)]
        tag_field = of.__struct_config__.tag_field
        for key, each in table.items():
            if key not in known and key != tag_field:
                self._unknown((*path, key), known)
            elif key == "position" and isinstance(each, dict):
                self._has_unknown_keys((*path, key), each, Position)
        return len(self.problems) > before

    def _explain(
        self, path: KeyPath, table: object, of: type[msgspec.Struct], message: str
    ) -> None:
        where = _WHERE.search(message)
        steps: KeyPath = ()
        if where:
            message = message[: where.start()]
            steps = tuple(key or int(number) for key, number in _STEP.findall(where.group("path")))
        missing = _MISSING.fullmatch(message)
        if missing:
            self._problem((*path, *steps), f"key {missing.group(1)} is missing")
            return
        value = table
        for step in steps:
            value = value[step]  # type: ignore[index]  # the path msgspec walked itself
        choices = _choices(of, steps)
        expected = f"expected one of {', '.join(choices)}" if choices else message
        self._problem((*path, *steps), f"{value!r}: {expected[0].lower()}{expected[1:]}")

    def _check(self, config: Config) -> None:
        self._check_names(config)
        for number, belt in enumerate(config.belts):
            self._check_belt(("belt", number), belt, config)
        for number, device in enumerate(config.devices):
            self._check_device(("device", number), device, config)
        for key in ("broker", "broker_v3"):
            self._check_broker(("hub", key), getattr(config.hub, key))

    def _check_device(self, path: KeyPath, device: Device, config: Config) -> None:
        if device.profile is not None and not isinstance(device, WITH_PROFILE):
            self._problem((*path, "profile"), "there are no profiles for this kind of device")
        if isinstance(device, Recording):
            self._check_start(path, device)
        if isinstance(device, AdsbRtlSdr) and None not in {device.serial, device.index}:
            self._problem((*path, "index"), "serial names the dongle already; leave out one")
        if isinstance(device, TcpScannerServer):
            self._check_addresses(path, device)
        if isinstance(device, NetworkReader):
            self._check_network_reader(path, device)
        hears = isinstance(device, Receiver | AdsbFile) or (
            isinstance(device, Replay) and device.format in {"beast", "modes"}
        )
        if hears and config.gateway.position is None:
            self._problem(path, "aircraft need [gateway] position as their reference")

    def _check_network_reader(self, path: KeyPath, device: NetworkReader) -> None:
        url = device.url if isinstance(device, R700) else None
        known = ["url", "broker", "listen"] if isinstance(device, R700) else ["broker", "listen"]
        said = [key for key in known if getattr(device, key) is not None]
        if not said:
            self._problem(path, f"key {' or '.join(known)} is missing")
        for key in said[1:]:
            self._problem((*path, key), f"tags come from {said[0]} already; leave out one")
        together = {
            "broker": (("topic", "where on the broker the reader publishes"),),
            "listen": (
                ("port", "to which the reader posts"),
                ("user", "who may post tags"),
                ("password_file", "who may post tags"),
            ),
        }
        for key, why in together.get(said[0] if said else "", ()):
            if getattr(device, key) is None:
                self._problem(path, f"key {key} is missing: {why}")
        self._check_broker((*path, "broker"), device.broker)
        if device.listen is not None:
            self._check_address((*path, "listen"), device.listen)
        if url is not None and not _is_address(url, {"http", "https"}):
            self._problem((*path, "url"), f"{url!r}: expected http://host or https://host")

    def _check_names(self, config: Config) -> None:
        for key, named in (("device", config.devices), ("belt", config.belts)):
            times = Counter(each.name for each in named)
            for number, each in enumerate(named):
                if times[each.name] > 1:
                    self._problem((key, number, "name"), f"two {key}s are called {each.name!r}")
                    times[each.name] = 0
                if key == "device" and each.name == "agent":
                    self._problem((key, number, "name"), "'agent' is the gateway itself")

    def _check_belt(self, path: KeyPath, belt: Belt, config: Config) -> None:
        readers = {
            each.name
            for each in config.devices
            if isinstance(each, Rfid) or (isinstance(each, Replay) and each.format == "llrp")
        }
        names = [each.name for each in config.devices]
        said = [((*path, "antennas", n), ref) for n, ref in enumerate(belt.antennas)]
        if belt.photo_eye is not None:
            said.append(((*path, "photo_eye"), belt.photo_eye))
        for where, ref in said:
            device = ref.rpartition(":")[0]
            if device not in names:
                self._problem(where, f"{ref!r}: no device {device!r}{_nearest(device, names)}")
            elif device not in readers:
                self._problem(where, f"{ref!r}: device {device!r} is no RFID reader")
        if belt.name in belt.siblings:
            self._problem((*path, "siblings"), f"belt {belt.name!r} is no sibling of itself")

    def _check_addresses(self, path: KeyPath, device: TcpScannerServer) -> None:
        said = [((*path, "listen"), device.listen)]
        said += [((*path, "scanners", n), each) for n, each in enumerate(device.scanners)]
        for where, address in said:
            self._check_address(where, address)

    def _check_address(self, path: KeyPath, address: str) -> None:
        try:
            ip_address(address)
        except ValueError:
            self._problem(path, f"{address!r}: expected an IP address")

    def _check_start(self, path: KeyPath, device: Recording) -> None:
        try:
            _ = device.start_us
        except (ValueError, OverflowError):
            expected = "expected a date and time, ISO 8601 text or seconds since 1970"
            self._problem((*path, "start"), f"{device.start!r}: {expected}")

    def _check_broker(self, path: KeyPath, url: str | None) -> None:
        if url is None:
            return
        if not _is_address(url, {"mqtt", "mqtts"}):
            self._problem(path, f"{url!r}: expected mqtt://host:port or mqtts://host:port")

    def _unknown(self, path: KeyPath, known: list[str]) -> None:
        self._problem(path, f"unknown key{_nearest(str(path[-1]), known)}")

    def _problem(self, path: KeyPath, problem: str) -> None:
        line = next(
            (self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines),
            None,
        )
        at = self._name if line is None else f"{self._name}:{line}"
        self.problems.append(f"{at}: {self._worded(path)}{problem}")

    def _worded(self, path: KeyPath) -> str:
        if not path:
            return ""
        words = str(path[0])
        for step in path[1:]:
            words += f"[{step}]" if isinstance(step, int) else f".{step}"
        tables = self._tables.get(str(path[0]))
        if len(path) > 1 and isinstance(tables, list) and isinstance(path[1], int):
            name = tables[path[1]].get("name")
            if isinstance(name, str):
                words += f" ({name})"
        return f"{words}: "


def _choices(of: type[msgspec.Struct], steps: KeyPath) -> list[str]:
    field = next((each for each in msgspec.structs.fields(of) if steps == (each.name,)), None)
    if field is None:
        return []
    options = [field.type, *get_args(field.type)]
    return [
        str(value)
        for option in options
        if get_origin(option) is Literal
        for value in get_args(option)
    ]


def _is_address(url: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f"; nearest known: {close[0]!r}" if close else ""


def _with_whole_paths(config: Config, folder: Path) -> Config:
    def whole(path: str) -> str:
        return str(folder / Path(path).expanduser())

    def maybe(path: str | None) -> str | None:
        return None if path is None else whole(path)

    def device(said: Device) -> Device:
        if said.profile is not None and said.profile.endswith(".toml"):
            said = replace(said, profile=whole(said.profile))
        files = _FILES.intersection(said.__struct_fields__)
        return replace(said, **{key: maybe(getattr(said, key)) for key in files})

    replace = msgspec.structs.replace
    hub = config.hub
    return replace(
        config,
        hub=replace(hub, **{name: maybe(getattr(hub, name)) for name in _HUBS_FILES}),
        spool=replace(config.spool, path=whole(config.spool.path)),
        aircraft=replace(
            config.aircraft,
            stands=maybe(config.aircraft.stands),
            database=maybe(config.aircraft.database),
        ),
        devices=tuple(device(each) for each in config.devices),
    )
