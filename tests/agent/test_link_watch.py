"""A network that comes up wakes the uplink; one that stays or goes does not."""

import asyncio
import shutil
import struct
import subprocess
import sys

import pytest
from aerocast_agent.link_watch import LinkStates, LinkWatch
from hypothesis import given, settings
from hypothesis import strategies as st

NEW_LINK, DELETED_LINK, NEW_ADDRESS = 16, 17, 20
UP, RUNNING = 0x1, 0x40


def message(kind, content):
    return struct.pack("=IHHII", 16 + len(content), kind, 0, 0, 0) + content


def link(index, flags):
    return message(NEW_LINK, struct.pack("=BxHiII", 0, 1, index, flags, 0))


def test_a_carrier_that_appears_counts_once():
    states = LinkStates()
    assert not states.came_up(link(2, UP))
    assert states.came_up(link(2, UP | RUNNING))
    assert not states.came_up(link(2, UP | RUNNING))
    assert not states.came_up(link(2, UP))
    assert states.came_up(link(3, UP) + link(2, UP | RUNNING))


def test_a_new_address_counts():
    assert LinkStates().came_up(message(NEW_ADDRESS, bytes(8)))
    assert not LinkStates().came_up(message(DELETED_LINK, bytes(16)))


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_whatever_is_received_is_survived(received):
    LinkStates().came_up(received)


async def test_the_kernel_can_be_listened_to():
    watch = LinkWatch(lambda: None)
    watch.start()
    await asyncio.sleep(0)
    watch.stop()


WATCH = """
import asyncio, subprocess
from aerocast_agent.link_watch import LinkWatch

async def main():
    up = asyncio.Event()
    watch = LinkWatch(up.set)
    watch.start()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    async with asyncio.timeout(60):
        await up.wait()
    watch.stop()

asyncio.run(main())
"""


def test_a_link_that_is_set_up_is_heard_of():
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("unshare (util-linux) or ip (iproute2) is missing")
    if subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no network namespace of one's own is allowed here (unshare -rn)")
    subprocess.run(["unshare", "-rn", sys.executable, "-c", WATCH], check=True, timeout=120)
