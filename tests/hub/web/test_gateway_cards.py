"""Devices on a gateway's card: what a technician sees from the office."""

from aerocast_hub.gateways.views import GatewayView
from aerocast_hub.web.gateway_cards import gateway_cards
from aerocast_protocols.observations.gateways import DeviceHealth, GatewayHealth


def test_a_card_says_of_each_device_what_needs_a_hand():
    health = GatewayHealth(
        device="agent",
        boot_ns=1,
        agent_version="0.1.0",
        accepted=1,
        durable=1,
        acked=1,
        devices={"portal-4": "connected", "desk": "lost", "eye": "connected", "old": "connected"},
        device_health={
            "portal-4": DeviceHealth(
                state="connected", reads=900, reads_per_s=12.5, antennas={1: True, 2: False}
            ),
            "desk": DeviceHealth(state="lost", reconnects=3, error="OSError: unplugged"),
            "eye": DeviceHealth(state="connected", silent=True, last_seen_age_s=90.0),
        },
    )
    view = GatewayView(site="lfbo", name="hall-1", state="online", health=health)
    (card,) = gateway_cards([view], [], 0)
    desk, eye, old, portal = card.devices
    assert (portal.state, portal.reads_per_s, portal.dead_antennas) == ("connected", 12.5, (2,))
    assert (desk.state, desk.story) == ("lost", "came back 3 times; OSError: unplugged")
    assert (eye.state, eye.story) == ("silent", "last seen 90 s before this report")
    assert (old.state, old.story) == ("connected", "")
