"""The tables of agent.toml that are no devices: the gateway, its hub, its spool, its belts."""

from typing import Annotated

import msgspec
from aerocast_protocols.observations.bags import CustodyPoint

from aerocast_agent.config.tables import Table
from aerocast_agent.config.values import (
    AntennaRef,
    Label,
    Name,
    NotNegative,
    PhotoEyeRef,
    Positive,
    Text,
)


class Position(Table, frozen=True, kw_only=True):
    """Where the gateway stands (WGS 84; altitude in metres above sea level)."""

    latitude_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    altitude_m: float = 0.0


class Gateway(Table, frozen=True, kw_only=True):
    """Who this gateway is; ``site`` is the airport, ``name`` is unique in it."""

    site: Name
    name: Name
    position: Position | None = None


class Hub(Table, frozen=True, kw_only=True):
    """How to reach the hub.

    Attributes
    ----------
    broker, broker_v3
        ``mqtt://host:port`` or ``mqtts://host:port``; the second is tried when MQTT 5 is refused.
    http
        The hub's web address.
    certificate, key, ca
        PEM files for ``mqtts``: this gateway's certificate and key, and whom to trust.
    login
        A file of two lines, user and password, for a broker that asks for them.
    """

    broker: Text = "mqtt://127.0.0.1:1884"
    broker_v3: Text | None = None
    http: Text | None = None
    certificate: Text | None = None
    key: Text | None = None
    ca: Text | None = None
    login: Text | None = None


class Spool(Table, frozen=True, kw_only=True):
    """Where observations wait for the hub, and how much disk they may take."""

    path: Text = "/var/lib/aerocast/spool.db"
    budget_mb: Annotated[int, msgspec.Meta(ge=8, le=1_000_000)] = 512


class Aircraft(Table, frozen=True, kw_only=True):
    """What makes an aircraft parked, and which airframe it is.

    Attributes
    ----------
    stands
        GeoJSON whose polygons have ``stand``.
    database
        CSV of registrations and types, plain or gzip: ``icao24,registration,type``.
    """

    stands: Text | None = None
    database: Text | None = None
    on_stand_after_s: NotNegative = 60.0


class Belt(Table, frozen=True, kw_only=True):
    """A belt, and the antennas that watch it.

    Attributes
    ----------
    antennas
        ``device:port``, ports from 1.
    siblings
        Belts whose tags this one may overhear.
    speed_mps, field_m
        How fast the belt runs, and how far along it the antennas read.
    photo_eye
        ``device:gpiN``: the reader's input that a bag's beam is wired to.
    margin_db
        How much stronger than its siblings a belt must read a tag to claim it alone.
    """

    name: Label
    point: CustodyPoint
    antennas: Annotated[tuple[AntennaRef, ...], msgspec.Meta(max_length=64)] = ()
    siblings: Annotated[tuple[Label, ...], msgspec.Meta(max_length=32)] = ()
    speed_mps: Positive = 1.5
    field_m: Positive | None = None
    photo_eye: PhotoEyeRef | None = None
    margin_db: NotNegative = 3.0
