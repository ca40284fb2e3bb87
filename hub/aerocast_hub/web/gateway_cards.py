"""Gateways as the operators' page shows them: who is there, on time, complete, which devices."""

from collections.abc import Iterable

from aerocast_protocols.observations.gateways import DeviceHealth, GatewayHealth

from aerocast_hub.gateways.losses import Account
from aerocast_hub.gateways.views import GatewayView, State
from aerocast_hub.web.views import DeviceState, GatewayCard, Tone

# As `GatewayHealth.clock_quality` counts.
CLOCKS = ("not set", "time of last shutdown", "hardware clock", "network time", "GPS")
TRUSTED_CLOCK = 3
_WORDS: dict[State, tuple[str, Tone]] = {
    "never": ("never seen", "idle"),
    "online": ("online", "good"),
    "silent": ("silent", "alarm"),
    "gone": ("gone", "alarm"),
    "revoked": ("revoked", "idle"),
}


def gateway_cards(
    gateways: Iterable[GatewayView], accounts: Iterable[Account], now_us: int
) -> tuple[GatewayCard, ...]:
    """Give every gateway that may speak, those that need somebody first."""
    losses = {(each.site, each.gateway): each for each in accounts}
    cards = [
        gateway_card(each, losses.get((each.site, each.name)), now_us)
        for each in gateways
        if each.state != "revoked"
    ]
    return tuple(sorted(cards, key=lambda card: not _needs_somebody(card)))


def _needs_somebody(card: GatewayCard) -> bool:
    return card.tone == "alarm" or card.lost > 0 or card.degraded is not None


def gateway_card(view: GatewayView, account: Account | None, now_us: int) -> GatewayCard:
    """Give one gateway as the page shows it."""
    words, tone = _WORDS[view.state]
    health = view.health
    seen_us = view.last_seen_at_us
    return GatewayCard(
        site=view.site,
        name=view.name,
        state=words,
        tone=tone,
        silent_s=None if seen_us is None else max(0.0, (now_us - seen_us) / 1e6),
        lost=account.unexplained if account else 0,
        evicted=sum(account.explained.values()) if account else 0,
        version=view.agent_version,
        clock=_clock(health) if health else None,
        clock_tone="idle" if health is None or health.clock_quality >= TRUSTED_CLOCK else "warn",
        waiting=max(0, health.durable - health.acked - health.dead) if health else None,
        waiting_since_s=health.oldest_age_s if health else None,
        degraded=health.degraded if health else None,
        devices=_devices(health) if health else (),
    )


def _clock(health: GatewayHealth) -> str | None:
    known = 0 <= health.clock_quality < len(CLOCKS)
    return CLOCKS[health.clock_quality] if known else None


def _devices(health: GatewayHealth) -> tuple[DeviceState, ...]:
    return tuple(
        _device(name, state, health.device_health.get(name))
        for name, state in sorted(health.devices.items())
    )


def _device(name: str, state: str, health: DeviceHealth | None) -> DeviceState:
    if health is None:  # an older agent
        return DeviceState(name=name, state=state)
    told = [f"{health.reads} reads"] if health.reads else []
    if health.last_seen_age_s is not None:
        told.append(f"last seen {health.last_seen_age_s:.0f} s before this report")
    if health.reconnects:
        told.append(f"came back {health.reconnects} times")
    if health.error:
        told.append(health.error)
    return DeviceState(
        name=name,
        state="silent" if health.silent else state,
        reads_per_s=health.reads_per_s or None,
        dead_antennas=tuple(port for port, is_there in health.antennas.items() if not is_there),
        story="; ".join(told),
    )
