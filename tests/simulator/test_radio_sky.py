"""The simulated air: the same from one seed, what its truth says, and heard by our own receiver."""

import asyncio
import math
from itertools import pairwise

import numpy as np
import pytest
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.demodulation import TICKS_PER_S, Demodulator
from aerocast_protocols.modes.encode import Sender, encode_all_call
from aerocast_protocols.modes.iq import SampleBuffer
from aerocast_protocols.modes.rtl_tcp import (
    GREETING_BYTES,
    Command,
    decode_greeting,
    listen_orders,
)
from aerocast_simulator.radio_sky import NOISE_LSB, SLICE_S, RadioSky, Sent, crowd
from aerocast_simulator.rtl_tcp_server import RtlTcpServer

HERE = Position(43.6293, 1.3638)
RATES = [2_000_000, 2_400_000]


def sky(rate=2_400_000, *, seed=7, messages=300.0, **options):
    return RadioSky(crowd(HERE, messages), rate, seed=seed, messages_a_second=messages, **options)


def heard_in(air, slices):
    samples, demodulator = SampleBuffer("cu8"), Demodulator(air.sample_rate_hz)
    for number in range(slices):
        demodulator.feed(samples.take(air.cu8(number)))
    demodulator.flush()
    return list(demodulator.frames())


# At 2.0 MS/s a message whose chips change just where samples are taken is lost: a tenth of them.
@pytest.mark.parametrize(("rate", "share"), [(2_000_000, 0.85), (2_400_000, 0.97)])
def test_strong_messages_are_heard_when_and_as_they_were_sent(rate, share):
    air = sky(rate, messages=60.0, replies_a_second=0.0, snr_db=(25.0, 30.0), offset_sigma_hz=5e4)
    truth = [sent for number in range(20) for sent in air.truth(number)]

    heard = heard_in(air, 20)

    sent_at = {}
    for sent in truth:
        sent_at.setdefault(sent.frame, []).append(sent.second)
    true = [
        each
        for each in heard
        if any(
            abs(each.ticks_12mhz / TICKS_PER_S - second) < 0.25e-6
            for second in sent_at.get(each.frame, ())
        )
    ]
    # Replies are believed once their aircraft's squitter was heard; a few messages overlap.
    squitters = [sent for sent in truth if sent.frame[0] >> 3 in (11, 17)]
    assert len(squitters) > 60
    assert sum(each.frame[0] >> 3 in (11, 17) for each in true) >= share * len(squitters)
    assert len(true) == len(heard)


@pytest.mark.parametrize("rate", RATES)
def test_the_same_seed_is_the_same_air_in_any_order_and_another_seed_is_not(rate):
    one, same, other = sky(rate), sky(rate), sky(rate, seed=8)
    forwards = [one.cu8(number) for number in range(3)]
    backwards = [same.cu8(number) for number in (2, 1, 0)][::-1]

    assert forwards == backwards
    assert forwards[0] != other.cu8(0)
    assert [len(each) for each in forwards] == [2 * rate // 10] * 3
    assert one.truth(1) == same.truth(1)


def test_messages_come_at_random_moments_and_strengths_as_many_as_asked_for():
    air = sky(messages=1000.0, replies_a_second=200.0)
    truth = [sent for number in range(30) for sent in air.truth(number)]
    messages = [sent for sent in truth if len(sent.frame) > 2]
    gaps_s = np.diff([sent.second for sent in messages])

    assert len(messages) == pytest.approx(3000, abs=4 * math.sqrt(3000))
    assert len(truth) - len(messages) == pytest.approx(600, abs=4 * math.sqrt(600))
    assert gaps_s.std() == pytest.approx(gaps_s.mean(), rel=0.1)  # as of Poisson's arrivals
    assert min(sent.snr_db for sent in truth) < 2.0
    assert 38.0 < max(sent.snr_db for sent in truth) <= 40.0
    assert all(abs(sent.offset_hz) <= 1e6 for sent in truth)
    assert any(one.second + one.lasts_s > other.second for one, other in pairwise(messages))


def test_a_message_is_as_strong_over_the_noise_as_its_truth_says():
    air = sky(messages=0.0, replies_a_second=0.0)
    noise = air.samples(0)
    assert math.sqrt(np.mean(np.abs(noise) ** 2)) * 128.0 == pytest.approx(NOISE_LSB, rel=0.02)

    loud = noise.copy()
    frame = encode_all_call(Sender("4ca123", on_ground=False))
    air._add(loud, Sent(0.01, frame, 40.0, 0.0), 0.0)
    pulses = np.abs(loud - noise)
    assert pulses.max() * 128.0 == pytest.approx(NOISE_LSB * 100.0, rel=0.25)
    touched = np.flatnonzero(pulses > 0.05)
    assert touched[0] / air.sample_rate_hz == pytest.approx(0.01, abs=1e-6)
    assert (touched[-1] - touched[0]) / air.sample_rate_hz == pytest.approx(64e-6, abs=2e-6)


def test_a_message_over_the_border_of_two_slices_is_whole():
    rate = 2_400_000
    air = sky(rate, messages=0.0, replies_a_second=0.0)
    frame = encode_all_call(Sender("4ca123", on_ground=False))
    whole = np.concatenate([air.samples(0), air.samples(1)])
    parts = [air.samples(0), air.samples(1)]
    sent = Sent(SLICE_S - 30e-6, frame, 30.0, 1e5)
    for number, part in enumerate(parts):
        air._add(part, sent, number * SLICE_S)
    air._add(whole, sent, 0.0)

    assert np.allclose(np.concatenate(parts), whole, atol=1e-5)


def test_mode_a_replies_have_their_pulses_where_they_belong():
    rate = 2_400_000
    air = sky(rate, messages=0.0, replies_a_second=0.0)
    quiet = air.samples(0)
    reply = quiet.copy()
    air._add(reply, Sent(0.01, (0o7700).to_bytes(2, "big"), 40.0, 0.0), 0.0)
    power = np.abs(reply - quiet)

    def at(place):
        centre = round((0.01 + place * 1.45e-6 + 0.225e-6) * rate)
        return power[centre - 1 : centre + 2].max()

    strengths = [at(place) for place in range(15)]
    present = [0, *range(1, 7), 14]
    assert min(strengths[place] for place in present) > 2.0 * max(
        strengths[place] for place in range(15) if place not in present
    )


async def test_rtl_tcp_serves_the_air_at_the_rate_asked_for_to_one_client_at_a_time():
    rates = []

    def air(rate):
        rates.append(rate)
        return sky(rate, messages=50.0)

    server = RtlTcpServer(air, speed=4.0)
    await server.start()
    try:
        async with asyncio.timeout(60):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            assert decode_greeting(await reader.readexactly(GREETING_BYTES)).tuner == "R820T"
            second, second_writer = await asyncio.open_connection("127.0.0.1", server.port)
            await asyncio.sleep(SLICE_S)  # a client may take its time: it hears its rate alone
            writer.write(listen_orders(2_000_000, 40.2))
            first = await reader.readexactly(400_000)
            assert not second.at_eof()
            writer.close()
            greeting = await second.readexactly(GREETING_BYTES)
            second_writer.close()
    finally:
        await server.stop()

    assert first == sky(2_000_000, messages=50.0).cu8(0)
    assert decode_greeting(greeting).gain_steps == 29
    assert rates[0] == 2_000_000
    assert (Command.TUNER_GAIN, 402) in server.orders
