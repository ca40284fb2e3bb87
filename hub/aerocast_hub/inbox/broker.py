"""The embedded MQTT broker: rumqttd as a child process, on loopback; beyond it over TLS alone.

It lets in whoever has one of two logins, the hub's or the gateways'. It cannot tell one gateway
from another, so each may send in another's name: where that matters, use a broker that can.

It keeps nothing on disk and needs not: a gateway lets go of an observation only on the hub's own
acknowledgement. When it dies it is started again.
"""

import asyncio
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from aerocast_protocols.broker_login import Login
from iotcore import Broker

from aerocast_hub.running import running
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.whole_file import write_whole

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
SHARED_LOGIN = (
    "its gateways share one login, and each could speak in another's name. Where they must not, "
    "set BROKER_URL to Mosquitto, RabbitMQ or EMQX (docs/gateways.md)"
)
LOOK_EVERY_S = 0.2
LONGEST_WAIT_S = 10.0
PATIENCE_S = 3.0

# Payloads: an envelope is at most 64 KiB + 256; 1 MiB leaves room for later versions. Segments:
# what the broker keeps in memory of each topic for subscribers that are behind.
_CONFIGURATION = """\
id = 0

[router]
id = 0
max_connections = 2000
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 4

[v5.1]
name = "v5"
listen = "{host}:{port}"
next_connection_delay_ms = 1
    [v5.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 1048576
    max_inflight_count = 200
    dynamic_filters = true
        [v5.1.connections.auth]
        {logins}

[v4.1]
name = "v3.1.1"
listen = "{host}:{v3_port}"
next_connection_delay_ms = 1
    [v4.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = 1048576
    max_inflight_count = 200
    dynamic_filters = true
        [v4.1.connections.auth]
        {logins}
"""

_BEYOND_LOOPBACK = """
[v5.2]
name = "v5-tls"
listen = "{host}:{port}"
next_connection_delay_ms = 1
    [v5.2.tls]
    certpath = {certificate}
    keypath = {key}
    [v5.2.connections]
    connection_timeout_ms = 60000
    max_payload_size = 1048576
    max_inflight_count = 200
    dynamic_filters = true
        [v5.2.connections.auth]
        {logins}
"""


class Outside(NamedTuple):
    """A way in beyond loopback: MQTT 5 over TLS, with this certificate and key (PEM files)."""

    host: str
    port: int
    certificate: Path
    key: Path


class EmbeddedBroker:
    """The broker inside, started again whenever it dies.

    Attributes
    ----------
    port, v3_port
        Loopback ports for MQTT 5 and MQTT 3.1.1.
    """

    def __init__(
        self,
        folder: Path,
        metrics: Metrics,
        logins: Sequence[Login],
        port: int = 0,
        v3_port: int = 0,
        outside: Outside | None = None,
    ) -> None:
        """Prepare a broker; its file goes into ``folder``, port 0 takes a free one."""
        self._outside = outside
        self._logins = logins
        self.port = port or _free_port()
        self.v3_port = v3_port or _free_port()
        self._file = folder / "broker.toml"
        self._metrics = metrics
        self._broker: Broker | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run it beside the block.

        Raises
        ------
        OSError
            A port is taken: the message names it and the setting.
        """
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._file, self._configuration().encode())
        try:
            await self._start_within(PATIENCE_S)
        except (OSError, RuntimeError) as error:
            raise OSError(
                f"the embedded broker cannot listen on {HOST}:{self.port} and {self.v3_port} "
                f"({error}): set EMBEDDED_BROKER_PORT and EMBEDDED_BROKER_V3_PORT, or BROKER_URL"
            ) from error
        log.info("embedded broker on %s:%d (MQTT 3.1.1: %d)", HOST, self.port, self.v3_port)
        if self._outside is not None:
            host, port = self._outside.host, self._outside.port
            log.warning("embedded broker over TLS on %s:%d: %s", host, port, SHARED_LOGIN)
        try:
            async with running(self._watch()):
                yield
        finally:
            await asyncio.to_thread(self._stop)

    def _configuration(self) -> str:
        logins = "\n        ".join(f'"{user}" = "{password}"' for user, password in self._logins)
        configuration = _CONFIGURATION.format(
            host=HOST, port=self.port, v3_port=self.v3_port, logins=logins
        )
        if self._outside is None:
            return configuration
        files = (self._outside.certificate, self._outside.key)
        # TOML writes strings as JSON does.
        certificate, key = (json.dumps(str(file.absolute())) for file in files)
        host, port = self._outside.host, self._outside.port
        return configuration + _BEYOND_LOOPBACK.format(
            host=host, port=port, certificate=certificate, key=key, logins=logins
        )

    async def _watch(self) -> None:
        """Look after the child; start it again, more slowly when it keeps dying."""
        wait_s = LOOK_EVERY_S
        while True:
            await asyncio.sleep(wait_s)
            if self._broker is not None and self._broker.is_running:
                wait_s = LOOK_EVERY_S
                continue
            log.warning("the embedded broker died: starting it again")
            self._metrics.broker_restarts.inc()
            try:
                await asyncio.to_thread(self._restart)
            except (OSError, RuntimeError):
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
                log.exception("the embedded broker does not start; trying again")

    async def _start_within(self, seconds: float) -> None:
        """Start it; try again a little while: a killed hub's broker lets go, a killed one comes."""
        give_up_at = time.monotonic() + seconds
        while True:
            try:
                return await asyncio.to_thread(self._start)
            except (OSError, RuntimeError) as error:
                if time.monotonic() > give_up_at:
                    raise
                log.info("the embedded broker does not start yet (%s): trying again", error)
            await asyncio.sleep(LOOK_EVERY_S)

    def _start(self) -> None:
        broker = Broker(config_path=str(self._file))
        broker.start()
        self._broker = broker

    def _stop(self) -> None:
        if self._broker is not None:
            self._broker.stop()
            self._broker = None

    def _restart(self) -> None:
        self._stop()
        self._start()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
