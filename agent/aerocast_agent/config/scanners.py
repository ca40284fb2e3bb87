"""Settings of barcode scanners: serial, TCP, keyboards."""

from typing import Annotated, Literal

import msgspec
from aerocast_protocols.observations.bags import CustodyPoint

from aerocast_agent.config.tables import DeviceTable
from aerocast_agent.config.values import Baud, Label, Positive, TcpPort, Text


class _Scanner(DeviceTable, frozen=True, kw_only=True):
    """What every scanner may say.

    Attributes
    ----------
    no_read
        What a fixed scanner sends for a bag it could not read.
    heartbeat
        What it sends to show that it is alive; such texts are no scans.
    heartbeat_s
        How often it does so: silent for two and a half times as long, it is lost.
    """

    no_read: Text | None = "NoRead"
    heartbeat: Text | None = None
    heartbeat_s: Positive | None = None
    point: CustodyPoint | None = None
    belt: Label | None = None


class _FramedScanner(_Scanner, frozen=True, kw_only=True):
    """A scanner that sends text; ``framing`` is how texts end, ``auto`` finds out."""

    framing: Literal["auto", "stx_etx", "cr", "lf", "crlf"] = "auto"


class SerialScanner(_FramedScanner, frozen=True, kw_only=True, tag="serial_scanner"):
    """A barcode scanner on a serial line."""

    port: Text
    baud: Baud = 9600


class TcpScanner(_FramedScanner, frozen=True, kw_only=True, tag="tcp_scanner"):
    """A fixed-mount scanner that the gateway connects to."""

    host: Text
    port: TcpPort


class TcpScannerServer(_FramedScanner, frozen=True, kw_only=True, tag="tcp_scanner_server"):
    """Fixed-mount scanners of one place that connect to the gateway.

    Attributes
    ----------
    listen
        Which address of the gateway they connect to; ``0.0.0.0`` is any.
    scanners
        IP addresses that may connect; none named: any.
    """

    listen: Text
    port: TcpPort
    scanners: Annotated[tuple[Text, ...], msgspec.Meta(max_length=64)] = ()


class HidScanner(_Scanner, frozen=True, kw_only=True, tag="hid_scanner"):
    """A scanner that passes itself off as a USB keyboard.

    Attributes
    ----------
    port
        Its input device, ``/dev/input/by-id/...-event-kbd``.
    layout
        The country it is set to.
    """

    port: Text
    layout: Literal["us", "gb", "fr", "de"] = "us"


Scanner = SerialScanner | TcpScanner | TcpScannerServer | HidScanner
