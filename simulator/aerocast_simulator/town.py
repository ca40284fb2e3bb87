"""Hub and gateways on this machine: prepared, started, watched and stopped as real processes."""

import asyncio
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec

from aerocast_simulator.hub_client import HubClient, HubError, Json
from aerocast_simulator.processes import (
    START_LIMIT_S,
    CommandError,
    Service,
    call,
    free_port,
    status_of,
)
from aerocast_simulator.toml_text import to_toml

OPERATOR = "operator"


class Hub:
    """The hub on embedded engines, everything it keeps in one folder.

    Parameters
    ----------
    folder
        Where its database, keys and log go.
    port
        Its HTTP port; a free one when None.
    metars
        File or folder of METARs it reads.
    """

    def __init__(self, folder: Path, *, port: int | None = None, metars: Path | None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.broker_port, self.broker_v3_port = free_port(), free_port()
        self.password = secrets.token_urlsafe(9)
        self.client = HubClient(self.url)
        self.environment = {
            "AEROCAST_HUB_DATA_DIR": str(folder),
            "AEROCAST_HUB_HTTP_HOST": "127.0.0.1",
            "AEROCAST_HUB_HTTP_PORT": str(self.port),
            "AEROCAST_HUB_BASE_URL": self.url,
            "AEROCAST_HUB_EMBEDDED_BROKER_PORT": str(self.broker_port),
            "AEROCAST_HUB_EMBEDDED_BROKER_V3_PORT": str(self.broker_v3_port),
        }
        if metars is not None:
            self.environment["AEROCAST_HUB_METAR_FILES"] = str(metars)
        self.process = self._service()

    def receive_bag_messages(self, port: int, password: str) -> None:
        """Have it, when it starts, log in at a host of a baggage network on this machine."""
        self.environment["AEROCAST_HUB_BAG_LINK_HOSTS"] = f"127.0.0.1:{port}"
        self.environment["AEROCAST_HUB_BAG_LINK_PASSWORD"] = password
        self.process = self._service()

    def _service(self) -> Service:
        return Service("aerocast-hub", ["serve"], self.environment, self.folder / "hub.log")

    async def command(self, *arguments: str, given: str = "") -> str:
        """Run one of the hub's commands beside it."""
        return await call("aerocast-hub", *arguments, environment=self.environment, given=given)

    async def prepare(self) -> None:
        """Lay out its database and add an operator to log in as."""
        await self.command("migrate")
        await self.command("user", "add", OPERATOR, "--role", "admin", given=self.password + "\n")

    async def start(self) -> None:
        """Start it and wait until it answers and knows us.

        Raises
        ------
        CommandError
            It ended by itself, or did not answer within ``START_LIMIT_S``.
        """
        await self.process.start()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_LIMIT_S
        while True:
            self.process.fail_if_ended()
            try:
                await self.client.get("/health")
                break
            except (OSError, HubError) as error:
                if loop.time() > deadline:
                    raise CommandError(f"the hub does not answer: {error}") from error
            await asyncio.sleep(0.1)
        await self.client.login(OPERATOR, self.password)


class Counters(msgspec.Struct):
    """A gateway's observations since it was started first.

    Attributes
    ----------
    accepted, evicted, dead
        Taken in; given up with a record; refused by the hub for good.
    waiting
        On disk and not yet acknowledged by the hub.
    """

    accepted: int
    waiting: int
    evicted: int = 0
    dead: int = 0


class Gateway:
    """One agent with a configuration of its own.

    Parameters
    ----------
    folder
        Where its configuration, spool and log go.
    configuration
        Its agent.toml as nested dictionaries; ``[hub]`` and ``[spool]`` are replaced.
    """

    def __init__(self, folder: Path, configuration: Mapping[str, object], hub: Hub) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        gateway = configuration["gateway"]
        if not isinstance(gateway, dict):
            raise CommandError(f"{folder.name}: [gateway] is missing")
        self.site, self.name = str(gateway["site"]), str(gateway["name"])
        self._position = gateway.get("position")
        settings: dict[str, object] = {
            **configuration,
            "hub": {
                "broker": f"mqtt://127.0.0.1:{hub.broker_port}",
                "broker_v3": f"mqtt://127.0.0.1:{hub.broker_v3_port}",
                "http": hub.url,
            },
            "spool": {"path": str(folder / "spool.db"), "budget_mb": 256},
        }
        self.configuration_file = folder / "agent.toml"
        self.configuration_file.write_text(to_toml(settings))
        self.process = Service(
            "aerocast-agent",
            ["run", "--config", str(self.configuration_file)],
            {},
            folder / "agent.log",
        )

    async def register(self, hub: Hub) -> None:
        """Make it known to the hub."""
        arguments = ["gateway", "add", self.site, self.name]
        if isinstance(self._position, dict):
            place = (self._position["latitude_deg"], self._position["longitude_deg"])
            arguments.append("--position={},{}".format(*place))
        await hub.command(*arguments)

    async def waiting(self) -> int:
        """Say how many observations its spool still holds."""
        return (await self.counters()).waiting

    async def counters(self) -> Counters:
        """Count its observations, while it runs or after it stopped."""
        return msgspec.convert(await self.status(), Counters)

    async def status(self) -> Json:
        """Give what ``aerocast-agent status --json`` says."""
        said = await call(
            "aerocast-agent",
            "status",
            "--json",
            "--config",
            str(self.configuration_file),
            environment={},
        )
        return status_of(said)


def open_in_browser(url: str) -> None:
    """Open a page where a person can see it, if there is a screen."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        import webbrowser  # noqa: PLC0415  only for people with a screen

        webbrowser.open(url)
