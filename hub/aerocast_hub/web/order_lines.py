"""Orders to a gateway as its page shows them: what was asked, what became of it, in words. Pure."""

from collections.abc import Mapping

import msgspec

from aerocast_hub.gateways.ordering import OrderState
from aerocast_hub.gateways.orders import Order
from aerocast_hub.web.views import Tone

LONGEST_TOLD = 240
"""Characters of an answer; the whole is for `ListGatewayOrders`."""
MOST_FAULTS = 8
MOST_FACTS = 16
LONGEST_FACT = 80
_NAMES: Mapping[str, str] = {
    "ping": "Ping",
    "flush": "Send what it holds",
    "diagnose": "Send diagnostics",
    "probe": "Probe",
    "restart_device": "Restart",
}
_UNITS = {
    "c": "°C",
    "dbm": "dBm",
    "db": "dB",
    "s": "s",
    "ms": "ms",
    "v": "V",
    "deg": "°",
    "m": "m",
    "hz": "Hz",
    "khz": "kHz",
    "mhz": "MHz",
}
_TONES: Mapping[OrderState, Tone] = {
    "waiting": "idle",
    "done": "good",
    "failed": "alarm",
    "no_answer": "warn",
}


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a device, and what mends it."""

    found: str
    mend: str = ""


class _Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway answers to ``probe``, as JSON."""

    says: dict[str, str | int | float | bool] = {}
    antennas: dict[str, bool] = {}
    faults: list[Fault] = []


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """An order and what became of it.

    Attributes
    ----------
    stamp
        Changes with what became of it.
    took_s
        From asking to the answer; None without one.
    told
        What the gateway answered, at most 240 characters; of a probe nothing.
    faults, facts
        Of a probe: what is wrong with the device, and what it says about itself.
    """

    id: str
    what: str
    stamp: str
    state: str
    tone: Tone
    asked_by: str
    asked_at_us: int
    took_s: float | None = None
    told: str | None = None
    faults: tuple[Fault, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


def order_line(order: Order) -> OrderLine:
    """Give an order as the page shows it; a verb this hub does not know stays as it is."""
    name = _NAMES.get(order.verb, order.verb)
    answered_us = order.answered_at_us
    line = OrderLine(
        id=order.id,
        what=name if order.device is None else f"{name} {order.device}",
        stamp=order.state,
        state=order.state.replace("_", " "),
        tone=_TONES[order.state],
        asked_by=order.asked_by,
        asked_at_us=order.asked_at_us,
        took_s=None if answered_us is None else max(0, answered_us - order.asked_at_us) / 1e6,
        told=_cut(order.error or order.output or "", LONGEST_TOLD) or None,
    )
    if order.verb != "probe" or order.state != "done":
        return line
    try:
        probed = msgspec.json.decode(order.output or "", type=_Probed)
    except msgspec.MsgspecError:  # longer than an answer may be, and so cut; or another agent's
        return line
    antennas = [(f"antenna {port}", "there" if is_there else "not connected")
                for port, is_there in probed.antennas.items()]  # fmt: skip
    facts = [_worded(key, fact) for key, fact in probed.says.items()]
    count = len(probed.faults)
    return msgspec.structs.replace(
        line,
        state=f"done, {count} {'fault' if count == 1 else 'faults'} found" if count else "done",
        tone="warn" if count else "good",
        told=None if count or facts or antennas else "It says nothing of itself; no fault shows.",
        faults=tuple(
            Fault(found=_cut(each.found, LONGEST_TOLD), mend=_cut(each.mend, LONGEST_TOLD))
            for each in probed.faults[:MOST_FAULTS]
        ),
        facts=tuple(
            (_cut(key, LONGEST_FACT), _cut(fact, LONGEST_FACT))
            for key, fact in [*facts, *antennas][:MOST_FACTS]
        ),
    )


def _worded(key: str, fact: str | float | bool) -> tuple[str, str]:  # noqa: FBT001  its own word
    """Give a fact's name and its value with the unit that the name ends in."""
    if isinstance(fact, bool):
        return key.replace("_", " "), "yes" if fact else "no"
    told = f"{fact:.10g}" if isinstance(fact, float) else str(fact)
    name, _, suffix = key.rpartition("_")
    if suffix not in _UNITS or not name or isinstance(fact, str):
        return key.replace("_", " "), told
    return name.replace("_", " "), f"{told}\u202f{_UNITS[suffix]}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
