"""Frames out of samples: recordings of the air, and a transmitter of our own."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.closeup import find_damage
from aerocast_protocols.modes.demodulation import TICKS_PER_S, Demodulator
from aerocast_protocols.modes.iq import BYTES_A_SAMPLE, SAMPLE_FORMATS, SampleBuffer
from aerocast_protocols.modes.known_addresses import KnownAddresses
from aerocast_protocols.modes.parity import downlink_format, remainder, seal
from aerocast_protocols.modes.parity_arrays import remainders
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.radio import Air

IQ = Path(__file__).parents[2].parent / "shared" / "data" / "adsb" / "iq"
SOAK = os.environ.get("AEROCAST_SOAK") == "1"
HERE = 0x4B1701
SQUITTER = seal(bytes.fromhex("8d4b1701990c1e2f3a4b5c"))
ALL_CALL = seal(bytes.fromhex("5d4b1701"))
ALTITUDE_REPLY = seal(bytes.fromhex("20000d1e"), over=HERE)
COMM_B = seal(bytes.fromhex("a0000d1e10a2b3c4d5e6f7"), over=HERE)
KNOWN = [0x3C0000 + 7919 * number for number in range(200)]


def heard(samples, rate, engine="numpy", upsample=None, *, known=(), pieces=None, **more):
    demodulator = Demodulator(rate, engine, upsample, **more)
    for address in known:
        demodulator.confirm(address)
    frames = []
    for piece in [samples] if pieces is None else np.split(samples, pieces):
        demodulator.feed(piece)
        frames += demodulator.frames()
    demodulator.flush()
    return frames + list(demodulator.frames())


def recording(name):
    file = IQ / name
    if not file.exists():
        pytest.skip(f"{file} is not here")
    return SampleBuffer(file.suffix[1:]).take(file.read_bytes())


def damaged(frame, *bits):
    turned = bytearray(frame)
    for bit in bits:
        turned[bit // 8] ^= 0x80 >> bit % 8
    return bytes(turned)


@pytest.mark.parametrize(
    ("engine", "at_least"), [("numpy", 1.45 * 217), ("numba", max(1.6 * 217, 328))]
)
def test_a_recording_of_one_aircraft_gives_more_messages_than_dump1090_finds(engine, at_least):
    frames = heard(recording("modes1_2000k.cu8"), 2_000_000, engine)

    assert len(frames) >= at_least
    own = [each.frame for each in frames if downlink_format(each.frame) in (11, 17, 18)]
    assert {frame[1:4].hex() for frame in own} == {"4d2023"}
    ticks = [each.ticks_12mhz for each in frames]
    assert ticks == sorted(ticks)
    assert all(-60.0 < each.signal_dbfs < 3.1 for each in frames)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_recordings_at_2400000_give_what_dump1090_mutability_finds(engine):
    early = heard(recording("rsadsb_1641427457780_2400k.cs16"), 2_400_000, engine)
    late = heard(recording("rsadsb_1641428165033_2400k.cs16"), 2_400_000, engine)

    assert {
        "8dad929358b9c6273f002169c02e",
        "8daa2bc4f82100020049b8db9449",
        "02e1971ce17c84",
        "8da0aaa058bf163fcf860013e840",
    } <= {each.frame.hex() for each in early}
    assert {
        "8da79de99909932f780c9e2f2f8f",
        "8dac04d358a7820a86ac3709e689",
        "8dac04d3ea4288669b5c082751d4",
        "8da79de958bdf59c85104874adad",
        "5dad92936265f5",
    } <= {each.frame.hex() for each in late}


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize(
    ("name", "rate", "known"),
    [
        ("modes1_2000k.cu8", 2_000_000, [0x4D2023]),
        ("phwl_x1_2000k.cu8", 2_000_000, [0x7C39F7]),
        ("rsadsb_1641427457780_2400k.cs16", 2_400_000, [0xAD9293, 0xAA2BC4, 0xA0AAA0]),
    ],
)
def test_nothing_is_heard_in_recordings_played_backwards(name, rate, known, engine):
    backwards = np.ascontiguousarray(recording(name)[::-1])

    assert heard(backwards, rate, engine, known=known) == []


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("rate", [2_000_000, 2_400_000])
def test_noise_says_nothing_though_200_aircraft_are_known(rate, engine):
    chance = np.random.default_rng(rate)
    demodulator = Demodulator(rate, engine)

    for _ in range(60 if SOAK else 2):
        for address in KNOWN:
            demodulator.confirm(address)
        parts = np.clip(np.round(chance.normal(0, 12, 2 * rate) + 127.4), 0, 255)
        demodulator.feed(SampleBuffer("cu8").take(parts.astype(np.uint8).tobytes()))

    assert demodulator.counts.candidates > 10_000
    assert list(demodulator.frames()) == []


@pytest.mark.parametrize("rate", [2_000_000, 2_400_000])
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_the_same_frames_come_out_however_the_samples_are_cut(rate, engine):
    air = Air(0.12, rate)
    for number in range(100):
        air.send(SQUITTER if number % 3 else ALTITUDE_REPLY, 0.0002 + number * 0.0011301)
    samples = air.samples()

    whole = heard(samples, rate, engine)
    chance = np.random.default_rng(4)

    assert len(whole) > 50
    for pieces in (
        np.arange(1000, samples.size, 1000),
        np.sort(chance.integers(0, samples.size, 40)),
        [1, 2, 3, 65_536, 131_072],
    ):
        assert heard(samples, rate, engine, pieces=pieces) == whole


@pytest.mark.parametrize("rate", [2_000_000, 2_400_000])
@pytest.mark.parametrize("upsample", [1, 2, 4, 8])
def test_both_engines_hear_the_same_at_the_same_fineness(rate, upsample):
    air = Air(0.1, rate, seed=upsample)
    for number in range(90):
        air.send(SQUITTER if number % 3 else COMM_B, 0.0001 + number * 0.0010801, snr_db=18.0)
    samples = air.samples()

    by_numpy = heard(samples, rate, "numpy", upsample)

    assert len(by_numpy) > 20
    assert heard(samples, rate, "numba", upsample) == by_numpy


@pytest.mark.parametrize(("rate", "sigma_ticks"), [(2_000_000, 1.3), (2_400_000, 0.5)])
def test_times_are_resolved_to_a_fraction_of_a_sample(rate, sigma_ticks):
    chance = np.random.default_rng(3)
    begun = {}
    air = Air(0.5, rate)
    for number in range(150):
        frame = seal(bytes.fromhex("8d4b1701") + chance.bytes(7))
        begun[frame] = 0.001 + number * 0.003 + chance.random() * 1e-5
        air.send(frame, begun[frame], snr_db=25.0, carrier_hz=chance.uniform(-5e5, 5e5))

    off = [
        each.ticks_12mhz - begun[each.frame] * TICKS_PER_S for each in heard(air.samples(), rate)
    ]

    assert len(off) > 120
    assert abs(np.mean(off)) < 0.3
    assert np.std(off) < sigma_ticks


def test_a_reply_counts_only_after_its_aircraft_was_heard_for_certain_and_not_for_ever():
    air = Air(3.0, 2_400_000)
    air.send(ALTITUDE_REPLY, 0.1, snr_db=30.0)
    air.send(SQUITTER, 0.5, snr_db=30.0)
    air.send(ALTITUDE_REPLY, 0.6, snr_db=30.0)
    air.send(COMM_B, 0.8, snr_db=30.0)
    air.send(ALTITUDE_REPLY, 2.5, snr_db=30.0)

    frames = heard(air.samples(300.0), 2_400_000, address_lifetime_s=1.0)

    assert [each.frame for each in frames] == [SQUITTER, ALTITUDE_REPLY, COMM_B]


def test_damaged_squitters_are_repaired_for_known_aircraft_alone_and_replies_never():
    air = Air(0.2, 2_400_000, noise=0.1)
    sent = [
        damaged(SQUITTER, 40),
        damaged(SQUITTER, 50, 77),
        damaged(SQUITTER, 40, 50, 60),
        damaged(ALTITUDE_REPLY, 30),
        damaged(COMM_B, 40),
    ]
    for number, frame in enumerate(sent):
        air.send(frame, 0.01 + number * 0.03, snr_db=20.0)
    samples = air.samples(20.0)

    # The bits are wrong but strong, so another frame's weakest eight do not hold them: what can be
    # repaired is what the air damaged.
    assert heard(samples, 2_400_000, known=[HERE]) == []

    faint = weakened(samples, 2_400_000, [(0.01, 40), (0.04, 50), (0.04, 77)])
    repaired = heard(faint, 2_400_000, known=[HERE])
    assert [each.frame for each in repaired] == [SQUITTER, SQUITTER]
    assert all(1 <= each.repaired_bits <= 2 for each in repaired)
    assert heard(faint, 2_400_000, known=[HERE + 0x010101]) == []


@pytest.mark.parametrize(("frame", "length"), [(ALL_CALL, 7), (SQUITTER, 14)])
def test_damage_is_found_among_the_weakest_bits_alone(frame, length):
    weakest = np.array([[3, 9, 17, 20, 31, 40, 41, 55]])
    for bits, most, turned in (((9,), 2, 1), ((17, 41), 2, 2), ((17, 41), 1, 0), ((5,), 2, 0)):
        left = np.array([remainder(damaged(frame, *bits))], np.uint32)

        over, count = find_damage(left, weakest, length, most)

        assert count.tolist() == [turned]
        assert over.tobytes() == (damaged(bytes(length), *bits) if turned else bytes(length))


def test_parities_of_many_frames_are_those_of_one_by_one():
    chance = np.random.default_rng(6)
    for length in (7, 14):
        frames = chance.integers(0, 256, (200, length), np.uint8)

        assert remainders(frames).tolist() == [remainder(each.tobytes()) for each in frames]


def test_known_addresses_are_looked_up_exactly_and_nearly_and_forgotten():
    known = KnownAddresses(lifetime_ticks=100)
    known.confirm([0x4B1701, 0], ticks=0)
    known.confirm([0x3C6444], ticks=50)
    asked = np.array([0x4B1701, 0x4B1700, 0x4B1706, 0x4B1776, 0x3C6444, 0], np.uint32)

    assert known.has(asked).tolist() == [True, False, False, False, True, False]
    assert known.has_near(asked).tolist() == [True, True, False, False, True, False]
    known.forget(ticks=101)
    assert known.has(asked).tolist() == [False, False, False, False, True, False]
    assert known.has_near(asked).tolist() == [False, False, False, False, True, False]
    assert len(known) == 1


def weakened(samples, rate, bits):
    """Take most of the power out of single bits."""
    weaker = samples.copy()
    for begun_s, bit in bits:
        from_s = begun_s + (8 + bit) * 1e-6
        weaker[round(from_s * rate + 0.2) : round((from_s + 1e-6) * rate + 0.2)] *= 0.35
    return weaker


def test_all_call_replies_to_an_interrogator_count_for_known_aircraft():
    answered = seal(bytes.fromhex("5d4b1701"), over=17)
    air = Air(0.1, 2_400_000)
    air.send(answered, 0.01, snr_db=30.0)
    air.send(ALL_CALL, 0.03, snr_db=30.0)
    air.send(answered, 0.07, snr_db=30.0)

    frames = heard(air.samples(300.0), 2_400_000)

    assert [each.frame for each in frames] in ([ALL_CALL, answered], [answered, ALL_CALL, answered])


def test_every_sample_format_gives_the_same_frames_and_keeps_split_samples():
    air = Air(0.05, 2_000_000)
    for number in range(20):
        air.send(SQUITTER, 0.00100025 + number * 0.002)
    samples = air.samples()
    written = {
        "cu8": air.cu8(),
        "cs16": (samples.view(np.float32) * 32767).astype("<i2").tobytes(),
        "cf32": samples.view("<f4").tobytes(),
    }

    for sample_format, content in written.items():
        whole = SampleBuffer(sample_format).take(content)
        buffer = SampleBuffer(sample_format)
        split = [buffer.take(content[start : start + 777]) for start in range(0, len(content), 777)]
        assert np.array_equal(np.concatenate(split), whole)
        assert [each.frame for each in heard(whole, 2_000_000)] == [SQUITTER] * 20
    poisoned = np.array([np.nan, np.inf, 0.5, -0.5], "<f4").tobytes()
    assert SampleBuffer("cf32").take(poisoned).tolist() == [0.0, 0.5 - 0.5j]


@given(
    st.sampled_from(SAMPLE_FORMATS),
    st.binary(max_size=4000),
    st.lists(st.integers(0, 4000), max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_samples_whole_or_cut_and_can_be_worked_on(sample_format, content, cuts):
    whole = SampleBuffer(sample_format).take(content)
    buffer = SampleBuffer(sample_format)
    edges = [0, *sorted(cuts), len(content)]
    cut = [buffer.take(content[begin:end]) for begin, end in itertools.pairwise(edges)]

    assert np.concatenate(cut).tolist() == whole.tolist()
    assert whole.size == len(content) // BYTES_A_SAMPLE[sample_format]
    for each in heard(whole, 2_400_000, known=KNOWN):
        assert len(each.frame) in (7, 14)


def test_silence_full_scale_and_no_samples_are_no_error():
    for samples in (
        np.zeros(200_000, np.complex64),
        np.full(200_000, 1 + 1j, np.complex64),
        np.zeros(0, np.complex64),
    ):
        assert heard(samples, 2_000_000, known=KNOWN) == []


def test_what_does_not_exist_is_refused_by_name():
    with pytest.raises(ProtocolError, match="2500000"):
        Demodulator(2_500_000)
    with pytest.raises(ProtocolError, match="upsampling 3"):
        Demodulator(2_000_000, upsample=3)
    with pytest.raises(ProtocolError, match="'rust'"):
        Demodulator(2_000_000, "rust")
    with pytest.raises(ProtocolError, match="'cs8'"):
        SampleBuffer("cs8")
