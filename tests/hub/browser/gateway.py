"""A gateway as the hub hears it: real batches over MQTT, acknowledged by the hub."""

import threading
import time

import paho.mqtt.client as mqtt
from aerocast_agent.broker_login import find_login
from aerocast_protocols import batch, topics
from aerocast_protocols.observations import Observation, lane_of

BOOT = bytes(range(16))


class Gateway:
    """Speaks for a gateway; `tell` returns when the hub has acknowledged."""

    def __init__(self, site: str, name: str, port: int) -> None:
        self._site, self._name, self._port = site, name, port
        self._epoch = (1 << 32) | 7
        self._told = [0, 0, 0]
        self._stored = [0, 0, 0]
        self._changed = threading.Condition()
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5
        )
        self._client.on_message = self._acknowledged

    def __enter__(self) -> "Gateway":
        self._client.username_pw_set(*find_login(f"mqtt://127.0.0.1:{self._port}", None))
        self._client.connect("127.0.0.1", self._port)
        self._client.subscribe(topics.down(self._site, self._name, "ack"))
        self._client.loop_start()
        online = batch.GatewayStatus(state="online", epoch=self._epoch, agent_version="0.1.0")
        self._client.publish(
            topics.up(self._site, self._name, "status"), batch.encode_status(online), qos=1
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def tell(self, *observations: Observation, timeout_s: float = 10.0) -> None:
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

    def _acknowledged(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            for each in batch.decode_acknowledgements(message.payload):
                if each.epoch == self._epoch and each.status in (batch.STORED, batch.SLOW_DOWN):
                    self._stored[each.lane] = max(self._stored[each.lane], each.up_to_sequence)
            self._changed.notify_all()


def boot_ns() -> int:
    """Give this machine's time since its boot, as gateways count it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
