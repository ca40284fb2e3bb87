"""A gateway as the hub hears it: real batches over MQTT, acknowledged by the hub."""

import queue
import threading
import time
from typing import Literal

import paho.mqtt.client as mqtt
from aerocast_agent.broker_login import find_login
from aerocast_protocols import batch, commands, topics
from aerocast_protocols.commands import Command, CommandResult
from aerocast_protocols.observations.every import Observation, lane_of

BOOT = bytes(range(16))


class Gateway:
    """Speaks for a gateway; `tell` returns when the hub has acknowledged.

    Attributes
    ----------
    ordered
        What the hub ordered, in the order it came.
    """

    def __init__(self, site: str, name: str, port: int) -> None:
        self._site, self._name, self._port = site, name, port
        self._epoch = (1 << 32) | 7
        self._told = [0, 0, 0]
        self._stored = [0, 0, 0]
        self._changed = threading.Condition()
        self.ordered: queue.Queue[Command | CommandResult] = queue.Queue()
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5
        )
        self._client.on_message = self._acknowledged

    def __enter__(self) -> "Gateway":
        self._client.username_pw_set(*find_login(f"mqtt://127.0.0.1:{self._port}", None))
        self._client.connect("127.0.0.1", self._port)
        for kind in ("ack", "command"):
            self._client.subscribe(topics.down(self._site, self._name, kind), qos=1)
        self._client.loop_start()
        self.say("online")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, state: Literal["online", "gone"]) -> None:
        """Say that it is there, or what its last will would."""
        status = batch.GatewayStatus(state=state, epoch=self._epoch, agent_version="0.1.0")
        topic = topics.up(self._site, self._name, "status")
        self._client.publish(topic, batch.encode_status(status), qos=1)

    def tell(self, *observations: Observation, timeout_s: float = 60.0) -> None:
        """Send observations (``boot_ns`` is `boot_ns`'s) and wait until they are stored."""
        for observation in observations:
            lane = lane_of(observation)
            self._told[lane] += 1
            body = batch.encode_body(
                epoch=self._epoch,
                lane=lane,
                first_sequence=self._told[lane],
                boot_id=BOOT,
                observations=[batch.encode_observation(observation)],
            )
            envelope = batch.Envelope(
                codec=batch.PLAIN,
                boot_id_sent=BOOT,
                boot_ns_sent=boot_ns(),
                wall_ns_sent=time.time_ns(),
                clock_quality=4,
                oldest_sequence=1,
                body=body,
            )
            self._client.publish(
                topics.up(self._site, self._name, lane), batch.encode_envelope(envelope), qos=1
            )
        with self._changed:
            stored = self._changed.wait_for(lambda: self._stored == self._told, timeout_s)
        assert stored, f"told {self._told}, the hub has {self._stored}"

    def answer(self, *, output: str = "", error: str | None = None) -> Command | CommandResult:
        """Wait for the next order, and say what came of it; give the order."""
        order = self.ordered.get(timeout=60)
        result = commands.encode(CommandResult(id=order.id, output=output, error=error))
        self._client.publish(topics.up(self._site, self._name, "result"), result, qos=1)
        return order

    def _acknowledged(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/command"):
            self.ordered.put(commands.decode(message.payload))
            return
        with self._changed:
            for each in batch.decode_acknowledgements(message.payload):
                if each.epoch == self._epoch and each.status in (batch.STORED, batch.SLOW_DOWN):
                    self._stored[each.lane] = max(self._stored[each.lane], each.up_to_sequence)
            self._changed.notify_all()


def boot_ns() -> int:
    """Give this machine's time since its boot, as gateways count it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
