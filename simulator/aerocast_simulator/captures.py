"""Read a folder of recordings: the gateways that replay them, and what the airport knew.

``DIR`` holds an agent.toml per gateway (any ``*.toml`` below it with a ``[gateway]`` table), and
``flights.jsonl``, ``bags.jsonl``, ``metars.csv.gz``, ``stands.geojson`` as far as they exist.
"""

import tomllib
from pathlib import Path
from typing import NamedTuple

from aerocast_simulator.town import Gateway, Hub

PATH_KEYS = {"device": ("file",), "aircraft": ("stands",)}


class CaptureError(Exception):
    """The folder cannot be played; the message says what is missing where."""


class CapturedGateway(NamedTuple):
    """One gateway of the recordings; ``configuration`` has absolute paths."""

    site: str
    name: str
    configuration: dict[str, object]


class Captures(NamedTuple):
    """Everything in the folder; None for what is not there."""

    gateways: list[CapturedGateway]
    flights: Path | None
    bags: Path | None
    stands: Path | None
    metars: Path | None


def read(folder: Path) -> Captures:
    """Read the folder.

    Raises
    ------
    CaptureError
        It is not there, has no gateway, or a file in it is no agent.toml.
    """
    if not folder.is_dir():
        raise CaptureError(f"{folder} is not a folder: --captures takes one with an agent.toml")
    gateways = [
        found for path in sorted(folder.rglob("*.toml")) if (found := _gateway(path)) is not None
    ]
    if not gateways:
        raise CaptureError(f"{folder} holds no agent.toml with a [gateway] table")
    stands = _first(folder, "stands.geojson") or _stands_of(gateways)
    return Captures(
        gateways,
        _first(folder, "flights.jsonl", "flights.csv"),
        _first(folder, "bags.jsonl", "bags.csv"),
        stands,
        _first(folder, "metars.csv.gz", "metars.csv", "metars.txt"),
    )


class Recordings:
    """A folder of recordings, played by the gateways themselves.

    Raises
    ------
    CaptureError
        The folder cannot be played.
    """

    def __init__(self, folder: Path) -> None:
        self._captures = read(folder)
        self.metars = self._captures.metars

    async def prepare(self, hub: Hub, folder: Path) -> list[Gateway]:
        """Tell the hub what the airport knew, and give the gateways to start."""
        known = (
            ("stands", self._captures.stands),
            ("flights", self._captures.flights),
            ("bags", self._captures.bags),
        )
        for what, path in known:
            if path is not None:
                await hub.command("import", what, str(path))
        gateways = []
        for number, captured in enumerate(self._captures.gateways, 1):
            place = folder / f"gateway-{number}"
            gateways.append(Gateway(place, captured.configuration, hub))
            await gateways[-1].register(hub)
        return gateways

    async def run(self, hub: Hub) -> None:
        """Nothing to do: the gateways replay by themselves."""

    async def close(self) -> None:
        """Nothing to silence."""


def _gateway(path: Path) -> CapturedGateway | None:
    try:
        configuration = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaptureError(f"{path} is no TOML file: {error}") from error
    gateway = configuration.get("gateway")
    if not isinstance(gateway, dict):
        return None
    for section, keys in PATH_KEYS.items():
        found = configuration.get(section, [])
        for table in found if isinstance(found, list) else [found]:
            for key in keys:
                if key in table:
                    table[key] = str((path.parent / str(table[key])).resolve())
    return CapturedGateway(str(gateway.get("site")), str(gateway.get("name")), configuration)


def _first(folder: Path, *names: str) -> Path | None:
    return next((folder / name for name in names if (folder / name).exists()), None)


def _stands_of(gateways: list[CapturedGateway]) -> Path | None:
    for gateway in gateways:
        aircraft = gateway.configuration.get("aircraft")
        if isinstance(aircraft, dict) and "stands" in aircraft:
            return Path(str(aircraft["stands"]))
    return None
