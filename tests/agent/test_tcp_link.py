"""A device that cannot be reached is named with the reason, and each reason has its mend."""

import asyncio
import socket
import ssl

import pytest
from aerocast_agent.probing import mend_of
from aerocast_agent.tcp_link import connect


async def refusal(host, port, **more):
    with pytest.raises(OSError) as caught:  # noqa: PT011  which one is what is looked at
        await connect(host, port, **more)
    return f"{type(caught.value).__name__}: {caught.value}"


async def test_who_does_not_take_us_is_said_with_the_reason():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        told = await refusal("127.0.0.1", port)
    assert told == f"ConnectionRefusedError: [Errno 111] 127.0.0.1:{port}: Connection refused"
    assert "end other programs that use it" in mend_of(told)
    told = await refusal("no-such-host.invalid", 5084)
    assert "no-such-host.invalid" in told
    assert "its host has no address" in mend_of(told)


async def test_a_handshake_that_fails_keeps_its_own_words():
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    told = await refusal("127.0.0.1", port, tls=ssl.create_default_context())
    assert "Exec format error" not in told  # what the number of that error means elsewhere
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("told", "mend"),
    [
        ("OSError: [Errno 113] 192.0.2.40:5084: No route to host", "has power and a link light"),
        ("TimeoutError: 192.0.2.40:5084 did not answer in 10 s", "has power and a link light"),
        ("SerialException: [Errno 2] could not open port /dev/ttyACM9", "plug it in"),
        ("NewError: nobody has seen this one", "switch it off and on"),
    ],
)
def test_an_error_the_daemon_told_of_has_its_mend(told, mend):
    assert mend in mend_of(told)
