"""A real RabbitMQ (Debian's) on free ports, with a home, a node name and an epmd of its own.

It takes seconds to start: share one over a module.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from aerocast_simulator.processes import free_port

from tests.servers import find_server

START_WITHIN_S = 120.0
STOP_WITHIN_S = 30.0


class RabbitMQ:
    """One node; what it needs lies in ``folder``.

    Parameters
    ----------
    plugins
        Names of plugins to run with.
    certificates
        Folder of ``authority.pem``, ``broker.pem`` and ``broker.key`` (as
        `tests.agent.certificates` makes them): MQTT is then spoken over TLS too, with clients whom
        the authority has certified.
    configuration
        More lines of rabbitmq.conf.
    advanced
        What advanced.config holds: Erlang's terms.

    Attributes
    ----------
    amqp_port, mqtt_port, mqtts_port
        Where it listens on 127.0.0.1: AMQP 0-9-1, MQTT (3.1.1 only) and MQTT over TLS.
    amqp_url
        For whoever may do anything (``guest``).
    """

    def __init__(
        self,
        folder,
        plugins=("rabbitmq_mqtt",),
        certificates=None,
        configuration="",
        advanced=None,
    ):
        self.amqp_port, self.mqtt_port, self.mqtts_port = free_port(), free_port(), free_port()
        self.amqp_url = f"amqp://guest:guest@127.0.0.1:{self.amqp_port}/"
        self._has_mqtt = "rabbitmq_mqtt" in plugins
        self._certificates = certificates
        self._folder = folder
        self._epmd = self._server = None
        (folder / "plugins").write_text(f"[{','.join(plugins)}].\n")
        (folder / "rabbitmq.conf").write_text(self._lines() + configuration)
        if advanced is not None:
            (folder / "advanced.config").write_text(advanced)
        self._epmd_port = free_port()
        self._environment = {
            "PATH": f"{Path(find_server('erl', 'erlang-base')).parent}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"test{self.amqp_port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            # Two schedulers: it shares the machine with the other tests.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 -kernel inet_dist_use_interface "
            "{127,0,0,1}",
        }

    def _lines(self):
        lines = [
            f"listeners.tcp.1 = 127.0.0.1:{self.amqp_port}",
            "log.console.level = info",
            "disk_free_limit.absolute = 10MB",
        ]
        if self._has_mqtt:
            lines.append(f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.mqtt_port}")
        if self._has_mqtt and self._certificates is not None:
            lines += [
                f"mqtt.listeners.ssl.1 = 127.0.0.1:{self.mqtts_port}",
                f"ssl_options.cacertfile = {self._certificates / 'authority.pem'}",
                f"ssl_options.certfile = {self._certificates / 'broker.pem'}",
                f"ssl_options.keyfile = {self._certificates / 'broker.key'}",
                "ssl_options.verify = verify_peer",
                "ssl_options.fail_if_no_peer_cert = true",
            ]
        return "\n".join([*lines, ""])

    @property
    def log(self):
        """What it has said so far."""
        return (self._folder / "said").read_text(errors="replace")

    def start(self):
        """Start it, and wait until every listener listens."""
        self._epmd = subprocess.Popen(
            [find_server("epmd", "erlang-base"), "-port", str(self._epmd_port)],
            env=self._environment,
            stderr=subprocess.DEVNULL,
        )
        self._wait_for(self._epmd_port, self._epmd)
        with (self._folder / "said").open("ab") as said:
            self._server = subprocess.Popen(
                [shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin")],
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        ports = [self.amqp_port]
        ports += [self.mqtt_port] if self._has_mqtt else []
        ports += [self.mqtts_port] if self._has_mqtt and self._certificates is not None else []
        for port in ports:
            self._wait_for(port, self._server)

    def _wait_for(self, port, process):
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 0.5).close()
                return
            time.sleep(0.1)
        raise AssertionError(f"RabbitMQ does not listen on {port}: {self.log[-3000:]}")

    def stop(self):
        """End it in good order, and its epmd."""
        self._end(signal.SIGTERM)

    def kill(self):
        """End it as a power cut would; `start` brings it back with what its disk holds."""
        self._end(signal.SIGKILL)

    def _end(self, how):
        if self._server is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._server.pid, how)
            try:
                self._server.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._server.pid, signal.SIGKILL)
                self._server.wait()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
        self._server = self._epmd = None

    def control(self, *arguments):
        """Run rabbitmqctl and give what it prints; it takes some seconds each time."""
        command = shutil.which("rabbitmqctl", path="/usr/lib/rabbitmq/bin")
        done = subprocess.run(
            [command, "--node", self._environment["RABBITMQ_NODENAME"], *arguments],
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@contextlib.contextmanager
def rabbitmq(folder, **how):
    """Run a node beside the block; a missing one skips by name, and fails in CI."""
    find_server("rabbitmq-server")
    node = RabbitMQ(folder, **how)
    try:
        node.start()
        yield node
    finally:
        node.stop()
