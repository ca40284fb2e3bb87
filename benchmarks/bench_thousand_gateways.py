"""A thousand gateways over real MQTT: Mosquitto, one hub process, PostgreSQL, all on this machine.

Claim: what they see at a busy hour's pace (5 tag reads a second and 12 bags a minute each) is taken
in whole: nothing lost, nothing stored twice, by the hub's own books. Prints what ``aerocast-load``
says of it, which runs here too and takes its share of the processors.

``--reads 0.2`` and ``--bags 6`` make quieter halls, ``--seconds`` lasts longer.
"""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from aerocast_simulator.processes import free_port
from by_the_clock import wait_for
from postgresql_beside import postgresql_beside

from tests.mosquitto import mosquitto

PROGRAMS = Path(sys.executable).parent
BROKER = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"


def main() -> int:
    """Start everything, put the load on it, say what came of it."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--gateways", type=int, default=1000)
    asking.add_argument("--reads", type=float, default=5.0, help="a second, each")
    asking.add_argument("--bags", type=float, default=12.0, help="a minute, each")
    asking.add_argument("--seconds", type=float, default=60.0)
    asked = asking.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        postgresql_beside() as database,
        mosquitto(Path(folder), BROKER) as broker,
    ):
        place, port = Path(folder), free_port()
        word = place / "word"
        word.write_text(secrets.token_urlsafe(24))
        broker_url = f"mqtt://127.0.0.1:{broker.port}"
        environment = os.environ | {
            "AEROCAST_HUB_DATA_DIR": str(place / "data"),
            "AEROCAST_HUB_DATABASE_URL": database,
            "AEROCAST_HUB_BROKER_URL": broker_url,
            "AEROCAST_HUB_HTTP_PORT": str(port),
        }
        subprocess.run(
            [PROGRAMS / "aerocast-hub", "user", "add", "admin", "--role", "admin"],
            input=word.read_text(),
            env=environment,
            check=True,
            text=True,
        )
        with (
            (place / "hub.log").open("w") as log,
            subprocess.Popen(
                [PROGRAMS / "aerocast-hub", "serve"], env=environment, stderr=log
            ) as hub,
        ):
            try:
                wait_for(port)
                return subprocess.run(
                    [
                        *(PROGRAMS / "aerocast-load", "--broker", broker_url),
                        *("--hub", f"http://127.0.0.1:{port}", "--password-file", word),
                        *("--gateways", str(asked.gateways), "--seconds", str(asked.seconds)),
                        *("--reads", str(asked.reads), "--bags", str(asked.bags)),
                        *("--drain", "600"),
                    ],
                    check=False,
                ).returncode
            finally:
                hub.terminate()


if __name__ == "__main__":
    sys.exit(main())
