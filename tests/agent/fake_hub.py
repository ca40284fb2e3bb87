"""A hub of few lines: stores in a set, acknowledges after storing; can lose, repeat and delay."""

import random
import threading

from aerocast_protocols import batch, topics
from aerocast_protocols.batch import UNREADABLE, Acknowledgement
from aerocast_protocols.errors import ProtocolError
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion


class FakeHub:
    def __init__(self, port, *, seed=0, loses=0.0, repeats=0.0):
        self.stored = {}  # (lane, epoch) -> {sequence: encoded observation}
        self.arrivals = []  # (lane, epoch, first) in the order they came
        self.statuses = []
        self.envelopes = []
        self.unreadable = 0
        self.answer_with = None  # a function (envelope, body) -> Acknowledgement | None
        self.changed = threading.Condition()
        self._random = random.Random(seed)
        self._loses, self._repeats = loses, repeats
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="hub", protocol=MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(topics.EVERY_UP, qos=1)
        self._client.on_message = self._on_message
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(60), "the broker does not let the hub listen"

    def stop(self):
        self._client.disconnect()
        self._client.loop_stop()

    def wait_for(self, claim, seconds=60):
        with self.changed:
            return self.changed.wait_for(lambda: claim(self), seconds)

    def sequences(self, lane, epoch):
        return sorted(self.stored.get((lane, epoch), ()))

    def order(self, payload, kind="command"):
        self._client.publish(topics.down("lfbo", "hall-1", kind), payload)

    def _on_message(self, _client, _, message):
        topic = topics.parse_up(message.topic)
        with self.changed:
            if topic.kind == "status":
                self.statuses.append(batch.decode_status(message.payload).state)
            elif topic.kind in {"0", "1", "2"}:
                for _ in range(1 + (self._random.random() < self._repeats)):
                    self._receive(topic, message.payload)
            else:
                self.statuses.append(message.payload)
            self.changed.notify_all()

    def _receive(self, topic, payload):
        try:
            envelope = batch.decode_envelope(payload)
            body = batch.decode_body(envelope.body, envelope.codec)
        except ProtocolError:
            self.unreadable += 1
            told = Acknowledgement(
                lane=int(topic.kind),
                epoch=0,
                up_to_sequence=0,
                status=UNREADABLE,
                digest=batch.digest_of(payload),
            )
            down = topics.down(topic.site, topic.gateway, "ack")
            self._client.publish(down, batch.encode_acknowledgements([told]))
            return
        if self._random.random() < self._loses:
            return
        self.envelopes.append((envelope, body))
        self.arrivals.append((body.lane, body.epoch, body.first_sequence))
        answer = self.answer_with(envelope, body) if self.answer_with else self.store(body)
        if answer is not None and self._random.random() >= self._loses:
            down = topics.down(topic.site, topic.gateway, "ack")
            self._client.publish(down, batch.encode_acknowledgements([answer]))

    def store(self, body):
        held = self.stored.setdefault((body.lane, body.epoch), {})
        for number, each in enumerate(body.observations):
            sequence = body.first_sequence + number
            encoded = bytes(each)
            assert held.get(sequence, encoded) == encoded, f"sequence {sequence} means two things"
            held[sequence] = encoded
        return self.acknowledgement(body.lane, body.epoch)

    def acknowledgement(self, lane, epoch, **more):
        held = self.stored.get((lane, epoch), {})
        mark = 0
        while mark + 1 in held:
            mark += 1
        missing = []
        expected = mark + 1
        for sequence in sorted(each for each in held if each > mark):
            if sequence > expected:
                missing.append((expected, sequence - 1))
            expected = sequence + 1
        return Acknowledgement(
            lane=lane,
            epoch=epoch,
            up_to_sequence=mark,
            missing_ranges=tuple(missing),
            highest_sequence=max(held, default=0),
            **more,
        )
