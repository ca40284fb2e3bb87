"""What every TCP connection of a device needs: a limit to connecting, and a watch on silence."""

import asyncio
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

CONNECT_LIMIT_S = 10.0
# A peer that is gone without a word is noticed after this many seconds of silence, plus as many
# unanswered probes at such a distance: 25 s in all.
_IDLE_S, _BETWEEN_S, _PROBES = 10, 5, 3


async def connect(
    host: str,
    port: int,
    *,
    buffered: int = 65_536,
    tls: "ssl.SSLContext | None" = None,
    server_name: str | None = None,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a device; the name is looked up each time.

    Raises
    ------
    OSError
        It does not take us, or not in time (``TimeoutError``); the message says who and why.
    """
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            reader, writer = await asyncio.open_connection(
                host, port, limit=buffered, ssl=tls, server_hostname=server_name
            )
    except TimeoutError:
        raise TimeoutError(f"{host}:{port} did not answer in {CONNECT_LIMIT_S:g} s") from None
    except socket.gaierror as error:
        raise socket.gaierror(error.errno, f"{host}: {error.strerror}") from error
    except OSError as error:
        # TLS has words and numbers of its own; several addresses have a reason each.
        if error.errno is None or type(error) is not type(OSError(error.errno, "")):
            raise
        raise OSError(error.errno, f"{host}:{port}: {os.strerror(error.errno)}") from error
    keep_alive(writer)
    return reader, writer


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """Let the system notice a peer that is gone without a word."""
    link: socket.socket = writer.get_extra_info("socket")
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_S)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _BETWEEN_S)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
