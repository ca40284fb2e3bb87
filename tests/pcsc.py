"""A pcscd of the tests' own, with the virtual reader of vsmartcard-vpcd and our cards in it.

It runs in namespaces of its own: the virtual reader would listen on every interface (in its
reversed mode it would not, but no card could be taken away), and this pcscd and the machine's own
must not see each other. Clients reach it through /proc, by PCSCLITE_CSOCK_NAME; cards through a
Unix socket.
"""

import asyncio
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aerocast_simulator.virtual_card import CardSlot

from tests.servers import find_server

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
PORT = 35963
BRIDGE = Path(__file__).with_name("pcsc_bridge.py")


def start_pcscd(folder):
    pcscd = find_server("pcscd")
    unshare = find_server("unshare", "util-linux")
    if not DRIVER.exists():
        absent = "the virtual reader is not installed: apt install vsmartcard-vpcd"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(absent)
    as_root = ["--map-root-user"] if os.geteuid() else []  # a chroot allows root no more of them
    refused = subprocess.run(
        [unshare, *as_root, "--mount", "--net", "true"], capture_output=True, text=True, check=False
    )
    if refused.returncode:
        pytest.skip(f"this machine gives no namespaces: {refused.stderr.strip()}")
    config, card_socket = folder / "reader.conf", folder / "slot"
    config.write_text(
        f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{PORT:#X}\nLIBPATH {DRIVER}\n'
        f"CHANNELID {PORT:#X}\n"
    )
    script = (
        "mkdir -p /run/pcscd && mount -t tmpfs none /run/pcscd || exit 9; "
        f"{sys.executable} {BRIDGE} {card_socket} {PORT} <&3 & "
        f"exec {pcscd} --foreground -c {config}"
    )
    return subprocess.Popen(
        [unshare, *as_root, "--mount", "--net", "sh", "-c", f"exec 3<&0; {script}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def answers_at(*sockets):
    return all(each.exists() for each in sockets)


@asynccontextmanager
async def running_pcscd(folder):
    """Give the first slot of the virtual reader, and where clients find its pcscd."""
    daemon = start_pcscd(folder)
    card_socket = folder / "slot"
    answers = Path(f"/proc/{daemon.pid}/root/run/pcscd/pcscd.comm")
    slot = CardSlot(str(card_socket))
    try:
        async with asyncio.timeout(60):
            while not answers_at(answers, card_socket):
                assert daemon.poll() is None, "pcscd ended"
                await asyncio.sleep(0.02)
        yield slot, str(answers)
    finally:
        await slot.remove()
        daemon.stdin.close()
        daemon.terminate()
        await asyncio.to_thread(daemon.wait, 10)
