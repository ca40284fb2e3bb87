"""Hear from the kernel that a network has come up (rtnetlink(7)): the uplink need not wait."""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port id
_LINK = struct.Struct("=BxHiII")  # family, device type, index, flags, change mask
_NEW_LINK, _NEW_ADDRESS = 16, 20
_GROUPS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_RUNNING = 0x40  # IFF_RUNNING: there is a carrier
_LARGEST_MESSAGE = 65536


class LinkStates:
    """Remembers which links have a carrier. Pure."""

    def __init__(self) -> None:
        self._running: set[int] = set()

    def came_up(self, received: bytes) -> bool:
        """Take what the kernel sent; say whether a link or an address has come up."""
        came = False
        for kind, content in _messages(received):
            if kind == _NEW_ADDRESS:
                came = True
            elif kind == _NEW_LINK and len(content) >= _LINK.size:
                _, _, index, flags, _ = _LINK.unpack_from(content)
                if not flags & _RUNNING:
                    self._running.discard(index)
                elif index not in self._running:
                    self._running.add(index)
                    came = True
        return came


class LinkWatch:
    """Calls ``came_up`` in the event loop; where the kernel does not tell, never."""

    def __init__(self, came_up: Callable[[], None]) -> None:
        self._came_up = came_up
        self._states = LinkStates()
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Begin to listen."""
        try:
            listening = socket.socket(
                socket.AF_NETLINK,
                socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
                socket.NETLINK_ROUTE,
            )
        except OSError as error:
            log.info("the kernel does not tell when a network comes up: %s", error)
            return
        try:
            listening.bind((0, _GROUPS))
        except OSError as error:
            log.info("the kernel does not tell when a network comes up: %s", error)
            listening.close()
            return
        self._socket = listening
        asyncio.get_running_loop().add_reader(listening, self._read)

    def stop(self) -> None:
        """Listen no more."""
        listening, self._socket = self._socket, None
        if listening is not None:
            asyncio.get_running_loop().remove_reader(listening)
            listening.close()

    def _read(self) -> None:
        if self._socket is None:
            return
        try:
            received = self._socket.recv(_LARGEST_MESSAGE)
        except BlockingIOError:
            return
        except OSError:  # more came than the kernel keeps: something has changed
            self._came_up()
            return
        if self._states.came_up(received):
            self._came_up()


def _messages(received: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(received):
        length, kind, *_ = _HEADER.unpack_from(received, at)
        if length < _HEADER.size or at + length > len(received):
            return
        yield kind, received[at + _HEADER.size : at + length]
        at += (length + 3) & ~3
