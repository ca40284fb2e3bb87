"""What a reader remembers of its settings, and how it answers each request. Pure."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp import events, rospec
from aerocast_protocols.llrp.antenna_order import AntennaOrder
from aerocast_protocols.llrp.capabilities import (
    Capabilities,
    Gen2,
    General,
    Limits,
    encode_capabilities,
)
from aerocast_protocols.llrp.extensions import asks_for_extensions, encode_extensions_response
from aerocast_protocols.llrp.framing import Message, MessageType
from aerocast_protocols.llrp.reader_config import (
    EventType,
    ReaderConfig,
    decode_reader_config,
    encode_reader_config,
)
from aerocast_protocols.llrp.reader_settings import ReaderSettings, encode_reader_settings
from aerocast_protocols.llrp.regulatory import Regulatory, RfMode
from aerocast_protocols.llrp.status import (
    FIELD_ERROR,
    PARAMETER_ERROR,
    SUCCESS,
    UNSUPPORTED_MESSAGE,
    Status,
    encode_status,
)
from aerocast_protocols.llrp.tag_report import IMPINJ

DEFAULT_CAPABILITIES = Capabilities(
    status=Status(SUCCESS),
    general=General(
        max_antennas=4,
        manufacturer=IMPINJ,
        model=2_001_002,
        firmware="7.6.1.240",
        has_utc_clock=True,
        gpis=4,
        gpos=4,
    ),
    limits=Limits(
        holds_reports=True, warns_of_full_buffer=True, max_rospecs=1, max_specs_per_rospec=32
    ),
    regulatory=Regulatory(
        country_code=250,
        communications_standard=2,
        power_levels=tuple((step + 1, 1000 + 25 * step) for step in range(81)),
        hopping=False,
        fixed_frequencies_khz=(865_700, 866_300, 866_900, 867_500),
        rf_modes=(RfMode(0, 0, 640_000), RfMode(2, 2, 274_000), RfMode(1000, 0, 40_000)),
    ),
    gen2=Gen2(max_filters=2),
)
READER_ID = bytes.fromhex("001625fffe100001")
_EVENT_TYPES: Mapping[type, EventType] = {
    events.GpiEvent: EventType.GPI,
    events.RospecEvent: EventType.ROSPEC,
    events.AntennaEvent: EventType.ANTENNA,
    events.ExceptionEvent: EventType.EXCEPTION,
    events.BufferLevelEvent: EventType.BUFFER_LEVEL,
}


class Order(NamedTuple):
    """A ROSpec the reader was given."""

    rospec: rospec.Rospec
    encoded: bytes
    state: int


class ReaderState:
    """A reader's settings; they outlive a session, extensions do not."""

    def __init__(self, capabilities: Capabilities = DEFAULT_CAPABILITIES) -> None:
        self.capabilities = capabilities
        self.orders: dict[int, Order] = {}
        self.extensions = False
        general = capabilities.general
        ports = range(1, (general.max_antennas if general else 0) + 1)
        self.antennas = dict.fromkeys(ports, True)
        self.gpis = dict.fromkeys(range(1, (general.gpis if general else 0) + 1), 0)
        self.reset()

    def reset(self) -> None:
        """Go back to factory settings."""
        powers = self.capabilities.regulatory.power_levels if self.capabilities.regulatory else ()
        strongest = max(powers, key=lambda level: level[1], default=(None, 0))[0]
        self.antenna_orders = tuple(
            AntennaOrder(
                antenna=port,
                sensitivity_index=1,
                power_index=strongest,
                channel_index=1,
                mode_id=0,
                session=1,
                tag_population=32,
            )
            for port in self.antennas
        )
        self.keepalive_ms = 0
        self.hold_reports = False
        self.wanted: dict[int, bool] = {}

    @property
    def active_rospec(self) -> int | None:
        """Give the id of the ROSpec that runs."""
        running = (key for key, each in self.orders.items() if each.state == rospec.ACTIVE)
        return next(running, None)

    @property
    def is_reading(self) -> bool:
        """Say whether an inventory is active."""
        return self.active_rospec is not None

    def sees(self, epc: bytes, pc: int | None, antenna: int) -> bool:
        """Say whether the active inventory reads such a tag there."""
        active = self.active_rospec
        if active is None or not self.antennas.get(antenna, True):
            return False
        running = self.orders[active].rospec
        if antenna not in running.antennas and 0 not in running.antennas:
            return False
        word = (len(epc) // 2) << 11 if pc is None else pc
        bank = int.from_bytes(bytes(2) + word.to_bytes(2, "big") + epc, "big")
        bits = 8 * (len(epc) + 4)
        filters = [
            each
            for order in running.orders
            if order.antenna in {0, antenna}
            for each in order.filters
        ]
        return all(
            bank >> max(bits - each.pointer - 8 * len(each.mask), 0) & (1 << 8 * len(each.mask)) - 1
            == int.from_bytes(each.mask, "big")
            for each in filters
        )

    @property
    def report_every(self) -> int:
        """Give how many reads go into a report."""
        active = self.active_rospec
        return 1 if active is None else max(self.orders[active].rospec.report_every, 1)

    @property
    def sends_extras(self) -> bool:
        """Say whether the active order asks for the vendor's extras."""
        active = self.active_rospec
        return active is not None and self.orders[active].rospec.impinj_extras

    def wants(self, event: events.ReaderEvent) -> bool:
        """Say whether the client asked to hear of such an event."""
        kind = _EVENT_TYPES.get(type(event))
        return kind is None or self.wanted.get(kind, False)

    def add(self, encoded: bytes) -> Status:
        """Take a new order."""
        order = rospec.decode_rospec(encoded)
        limits = self.capabilities.limits
        if order.rospec_id == 0 or order.rospec_id in self.orders:
            return Status(FIELD_ERROR, f"ROSpec id {order.rospec_id} cannot be added")
        if limits is not None and len(self.orders) >= limits.max_rospecs:
            return Status(PARAMETER_ERROR, f"only {limits.max_rospecs} ROSpec can be held")
        if order.impinj_extras and not self.extensions:
            return Status(PARAMETER_ERROR, "extensions are not enabled")
        self.orders[order.rospec_id] = Order(order, encoded, rospec.DISABLED)
        return Status(SUCCESS)

    def change(self, rospec_id: int, state: int | None) -> Status:
        """Move a ROSpec (0: all of them) to a state; None deletes it."""
        if rospec_id == 0:
            chosen = list(self.orders)
        elif rospec_id in self.orders:
            chosen = [rospec_id]
        else:
            return Status(FIELD_ERROR, f"no ROSpec {rospec_id}")
        for key in chosen:
            if state is None:
                del self.orders[key]
            else:
                self.orders[key] = self._moved(self.orders[key], state)
        return Status(SUCCESS)

    def _moved(self, order: Order, state: int) -> Order:
        if state == rospec.INACTIVE and order.state != rospec.DISABLED:
            return order  # enabling what is enabled changes nothing
        if state == rospec.INACTIVE and order.rospec.start == rospec.IMMEDIATE:
            state = rospec.ACTIVE
        return order._replace(state=state)

    def start(self, rospec_id: int) -> Status:
        """Start an enabled ROSpec."""
        order = self.orders.get(rospec_id)
        if order is None or order.state == rospec.DISABLED:
            return Status(FIELD_ERROR, f"no enabled ROSpec {rospec_id}")
        return self.change(rospec_id, rospec.ACTIVE)

    def stop(self, rospec_id: int) -> Status:
        """Stop an active ROSpec; it stays enabled."""
        order = self.orders.get(rospec_id)
        if order is None or order.state != rospec.ACTIVE:
            return Status(FIELD_ERROR, f"no active ROSpec {rospec_id}")
        self.orders[rospec_id] = order._replace(state=rospec.INACTIVE)
        return Status(SUCCESS)

    def configure(self, config: ReaderConfig) -> Status:
        """Take new settings."""
        if config.reset:
            self.reset()
        if config.keepalive_ms is not None:
            self.keepalive_ms = config.keepalive_ms
        if config.hold_reports is not None:
            self.hold_reports = config.hold_reports
        self.wanted.update(config.events)
        for order in config.orders:
            self.antenna_orders = tuple(
                msgspec.structs.replace(order, antenna=own.antenna)
                if order.antenna in {0, own.antenna}
                else own
                for own in self.antenna_orders
            )
        return Status(SUCCESS)

    def settings(self) -> ReaderSettings:
        """Give the present settings."""
        return ReaderSettings(
            status=Status(SUCCESS),
            reader_id=READER_ID,
            antennas=self.antennas,
            orders=self.antenna_orders,
            gpis=self.gpis,
            keepalive_ms=self.keepalive_ms,
            hold_reports=self.hold_reports,
            temperature_c=41 if self.extensions else None,
        )


class Reply(NamedTuple):
    """What goes back under the request's id."""

    type: int
    body: bytes


def answer(state: ReaderState, message: Message) -> Reply:
    """Carry out a request; one that cannot be read or is unknown gets ``ERROR_MESSAGE``."""
    carry_out = _REQUESTS.get(message.type)
    if carry_out is None:
        refusal = Status(UNSUPPORTED_MESSAGE, f"message type {message.type}")
        return Reply(MessageType.ERROR_MESSAGE, encode_status(refusal))
    try:
        return carry_out(state, message.body)
    except ProtocolError as error:
        refusal = Status(PARAMETER_ERROR, str(error))
        return Reply(MessageType.ERROR_MESSAGE, encode_status(refusal))


def _capabilities(state: ReaderState, _body: bytes) -> Reply:
    return Reply(
        MessageType.GET_READER_CAPABILITIES_RESPONSE, encode_capabilities(state.capabilities)
    )


def _get_config(state: ReaderState, _body: bytes) -> Reply:
    told = ReaderConfig(events=tuple(state.wanted.items()))
    events_told = encode_reader_config(told)[1:]  # without the request's flags
    body = encode_reader_settings(state.settings()) + events_told
    return Reply(MessageType.GET_READER_CONFIG_RESPONSE, body)


def _rospecs(state: ReaderState, _body: bytes) -> Reply:
    held = b"".join(rospec.with_state(each.encoded, each.state) for each in state.orders.values())
    return Reply(MessageType.GET_ROSPECS_RESPONSE, encode_status(Status(SUCCESS)) + held)


def _custom(state: ReaderState, body: bytes) -> Reply:
    general = state.capabilities.general
    if general is None or general.manufacturer != IMPINJ or not asks_for_extensions(body):
        refusal = Status(UNSUPPORTED_MESSAGE, "custom message")
        return Reply(MessageType.ERROR_MESSAGE, encode_status(refusal))
    state.extensions = True
    return Reply(MessageType.CUSTOM_MESSAGE, encode_extensions_response(Status(SUCCESS)))


def _plain(
    response: MessageType, carry_out: Callable[[ReaderState, bytes], Status]
) -> Callable[[ReaderState, bytes], Reply]:
    return lambda state, body: Reply(response, encode_status(carry_out(state, body)))


_id = rospec.decode_rospec_id
_REQUESTS: Mapping[int, Callable[[ReaderState, bytes], Reply]] = {
    MessageType.GET_READER_CAPABILITIES: _capabilities,
    MessageType.GET_READER_CONFIG: _get_config,
    MessageType.GET_ROSPECS: _rospecs,
    MessageType.CUSTOM_MESSAGE: _custom,
    MessageType.SET_READER_CONFIG: _plain(
        MessageType.SET_READER_CONFIG_RESPONSE,
        lambda state, body: state.configure(decode_reader_config(body)),
    ),
    MessageType.ADD_ROSPEC: _plain(
        MessageType.ADD_ROSPEC_RESPONSE, lambda state, body: state.add(body)
    ),
    MessageType.DELETE_ROSPEC: _plain(
        MessageType.DELETE_ROSPEC_RESPONSE, lambda state, body: state.change(_id(body), None)
    ),
    MessageType.ENABLE_ROSPEC: _plain(
        MessageType.ENABLE_ROSPEC_RESPONSE,
        lambda state, body: state.change(_id(body), rospec.INACTIVE),
    ),
    MessageType.DISABLE_ROSPEC: _plain(
        MessageType.DISABLE_ROSPEC_RESPONSE,
        lambda state, body: state.change(_id(body), rospec.DISABLED),
    ),
    MessageType.START_ROSPEC: _plain(
        MessageType.START_ROSPEC_RESPONSE, lambda state, body: state.start(_id(body))
    ),
    MessageType.STOP_ROSPEC: _plain(
        MessageType.STOP_ROSPEC_RESPONSE, lambda state, body: state.stop(_id(body))
    ),
    # Tags are only read here, never written: there are no AccessSpecs to delete or name.
    MessageType.DELETE_ACCESSSPEC: _plain(
        MessageType.DELETE_ACCESSSPEC_RESPONSE, lambda _state, _body: Status(SUCCESS)
    ),
    MessageType.GET_ACCESSSPECS: _plain(
        MessageType.GET_ACCESSSPECS_RESPONSE, lambda _state, _body: Status(SUCCESS)
    ),
    MessageType.CLOSE_CONNECTION: _plain(
        MessageType.CLOSE_CONNECTION_RESPONSE, lambda _state, _body: Status(SUCCESS)
    ),
}
