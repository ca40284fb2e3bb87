"""Settings of RFID readers: LLRP, serial modules, JSON over HTTP or MQTT."""

from typing import Annotated, Literal

import msgspec

from aerocast_agent.config.tables import DeviceTable
from aerocast_agent.config.values import Baud, TcpPort, Text


class Llrp(DeviceTable, frozen=True, kw_only=True, tag="llrp"):
    """An RFID reader that speaks LLRP over TCP.

    Attributes
    ----------
    tls
        Speak to it over TLS; readers listen for that on port 5085.
    ca
        PEM file of whom to trust: the authority that signed the reader's certificate, or that
        certificate itself. Absent: those the gateway's system trusts.
    server_name
        The name in its certificate, where that is not ``host``.
    """

    host: Text
    port: TcpPort = 5084
    tls: bool = False
    ca: Text | None = None
    server_name: Text | None = None


class UhfSerial(DeviceTable, frozen=True, kw_only=True, tag="uhf_serial"):
    """A UHF RFID module on a serial line.

    Attributes
    ----------
    protocol
        ``m100`` for M100, QM100, YRM100 and R200 (frames begin with BB); ``r2000`` for modules
        with an Indy R2000 (A0); ``uhfreader18`` for Chafon's and others; ``mercury`` for
        ThingMagic's M5e, M6e and M7e.
    baud
        Absent: what modules of this family come with.
    """

    port: Text
    protocol: Literal["m100", "r2000", "uhfreader18", "mercury"]
    baud: Baud | None = None


class _NetworkReader(DeviceTable, frozen=True, kw_only=True):
    """A reader that tells of tags in JSON.

    Attributes
    ----------
    listen, port
        Address (``0.0.0.0`` is any) and port of the gateway to which it posts.
    broker, topic
        Where it publishes: ``mqtt://host:port`` or ``mqtts://host:port``, and its topic, wildcards
        allowed.
    user, password_file
        For the broker, or the reader's own pages; what it must give itself when it posts. The
        password is the file's first line.
    ca
        PEM file of whom to trust: an authority, or the reader's own certificate. Names in
        certificates are not compared with it, as readers are reached by their addresses.
    """

    listen: Text | None = None
    port: TcpPort | None = None
    broker: Text | None = None
    topic: Text | None = None
    user: Text | None = None
    password_file: Text | None = None
    ca: Text | None = None


class R700(_NetworkReader, frozen=True, kw_only=True, tag="r700"):
    """An Impinj R700 or kin by its IoT device interface.

    Attributes
    ----------
    url
        The reader's own address, ``https://host``: tags come on its HTTP stream.
    preset
        Which of its inventories to begin when it is idle; absent: none.
    """

    url: Text | None = None
    preset: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{1,64}$")] | None = None


class ZebraIot(_NetworkReader, frozen=True, kw_only=True, tag="zebra_iot"):
    """A Zebra FX or ATR reader by its IoT Connector, whose data endpoint is MQTT or HTTP POST."""


NetworkReader = R700 | ZebraIot
Rfid = Llrp | UhfSerial | NetworkReader
