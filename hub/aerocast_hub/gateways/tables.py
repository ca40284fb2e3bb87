"""Tables of the gateways: the registry, their certificates, and the latest state of each."""

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import AutoId, Base


class GatewayRow(Base):
    """A gateway that may speak (until it is revoked); ``carrier`` is the cart it rides on."""

    __tablename__ = "gateways"
    __table_args__ = (UniqueConstraint("site", "name"),)

    id: Mapped[AutoId]
    site: Mapped[str]
    name: Mapped[str]
    added_at_us: Mapped[int]
    revoked_at_us: Mapped[int | None]
    latitude_deg: Mapped[float | None]
    longitude_deg: Mapped[float | None]
    altitude_m: Mapped[float | None]
    carrier: Mapped[str | None]


class GatewayStateRow(Base):
    """What was last heard of a gateway.

    ``state`` is its own word (or its last will) in life ``state_epoch``; ``health`` is the latest
    GatewayHealth as received (msgpack).
    """

    __tablename__ = "gateway_states"

    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), primary_key=True)
    last_seen_at_us: Mapped[int]
    state: Mapped[str]
    state_epoch: Mapped[int]
    state_since_us: Mapped[int]
    agent_version: Mapped[str | None]
    health: Mapped[bytes | None]
    health_at_us: Mapped[int | None]
    health_epoch: Mapped[int | None]
    health_sequence: Mapped[int | None]
    fix_latitude_deg: Mapped[float | None]
    fix_longitude_deg: Mapped[float | None]
    fix_altitude_m: Mapped[float | None]
    fix_at_us: Mapped[int | None]
    fix_epoch: Mapped[int | None]
    fix_sequence: Mapped[int | None]


class GatewayCountsRow(Base):
    """What a gateway last said it had counted in one of its lives; ``told_sequence`` orders it."""

    __tablename__ = "gateway_counts"

    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    told_sequence: Mapped[int]
    accepted: Mapped[int]
    durable: Mapped[int]
    acknowledged: Mapped[int]
    evicted: Mapped[int]
    dead: Mapped[int]


class GatewayClaimRow(Base):
    """A token that lets a gateway have its first certificate, once.

    Attributes
    ----------
    token_hash
        SHA-256 of the token.
    used_at_us, used_by
        When it was used, and by which key: the same one may ask again when the answer was lost.
    """

    __tablename__ = "gateway_claims"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), index=True)
    made_at_us: Mapped[int]
    expires_at_us: Mapped[int]
    used_at_us: Mapped[int | None]
    used_by: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class GatewayCertificateRow(Base):
    """A certificate that the hub's authority gave a gateway.

    Attributes
    ----------
    serial
        In lower-case hexadecimal digits.
    issuer
        The authority's own serial number, likewise: it alone can revoke this.
    key_digest
        SHA-256 of the gateway's public key.
    """

    __tablename__ = "gateway_certificates"

    serial: Mapped[str] = mapped_column(String(40), primary_key=True)
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(40))
    key_digest: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    pem: Mapped[str]
    issued_at_us: Mapped[int]
    expires_at_us: Mapped[int]
    revoked_at_us: Mapped[int | None]


class GatewayOrderRow(Base):
    """An order to a gateway, and its answer.

    Attributes
    ----------
    id
        A UUID; the gateway runs it once.
    answered_at_us
        The hub's receipt of the first answer.
    """

    __tablename__ = "gateway_orders"
    __table_args__ = (Index(None, "gateway_id", "asked_at_us"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"))
    verb: Mapped[str]
    device: Mapped[str | None]
    asked_by: Mapped[str]
    asked_at_us: Mapped[int]
    expires_at_us: Mapped[int] = mapped_column(index=True)
    answered_at_us: Mapped[int | None]
    output: Mapped[str | None]
    error: Mapped[str | None]
