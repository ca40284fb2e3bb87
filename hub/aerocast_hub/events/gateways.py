"""What happens to gateways: there or gone, their time, orders to them."""

from typing import Literal

from aerocast_hub.events.happened import Happened


class GatewayStateChanged(Happened, frozen=True, kw_only=True, tag="gateway_state_changed"):
    """A gateway came online, is gone, or was let in (``added``) or revoked by somebody."""

    site: str
    gateway: str
    state: Literal["online", "gone", "added", "revoked"]


class GatewayHealthReported(Happened, frozen=True, kw_only=True, tag="gateway_health_reported"):
    """A gateway told how it is."""

    site: str
    gateway: str


class GatewayClockCorrected(Happened, frozen=True, kw_only=True, tag="gateway_clock_corrected"):
    """A gateway's time became known, or known better: what it saw in that boot has other times.

    Attributes
    ----------
    observations
        How many changed; journeys, flights and winds made of them have changed with them.
    """

    site: str
    gateway: str
    observations: int


class GatewayOrdered(Happened, frozen=True, kw_only=True, tag="gateway_ordered"):
    """Somebody ordered a gateway to do something.

    Attributes
    ----------
    order_id
        The hub's own id of the order.
    device
        Which device of the gateway, where the verb needs one.
    """

    site: str
    gateway: str
    order_id: str
    verb: str
    device: str | None = None


class GatewayOrderAnswered(Happened, frozen=True, kw_only=True, tag="gateway_order_answered"):
    """A gateway said what came of an order.

    Attributes
    ----------
    order_id
        The hub's own id of the order.
    worked
        False where it could not be carried out.
    """

    site: str
    gateway: str
    order_id: str
    worked: bool
