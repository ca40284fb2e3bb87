"""From a strike to an alert, and every way in which the ramp must not be called clear."""

import asyncio
import time

import msgspec
import pytest
from aerocast_hub.alerts.store import open_alerts
from aerocast_hub.alerts.watch import FOLLOWED, take_in
from aerocast_hub.events.ramp import LowVisibility, RampClosed, RampReopened, RampUnknown
from aerocast_hub.inbox.sighting import Retimed, Sighting
from aerocast_hub.outbox.follow import Follower
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.running import running
from aerocast_hub.settings import SettingsError
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.weather import ramp_store
from aerocast_hub.weather.airport_file import read_airports
from aerocast_hub.weather.clock_guard import ClockGuard
from aerocast_hub.weather.limits import AirportSettings, LightningLimits
from aerocast_hub.weather.local_weather import absorb, forget, retime
from aerocast_hub.weather.ramp_judging import judge, told_ramp, told_ramps, write_settings
from aerocast_hub.weather.ramp_store import ramp_at, settings_of
from aerocast_hub.weather.ramp_watch import judge_all
from aerocast_hub.weather.store import ReadReport, keep_reports
from aerocast_protocols.observations.weather import LightningStrike, LightningWatch, WeatherMeasured
from aerocast_protocols.weather.metar import decode_metar

MIN = 60_000_000
HERE = AirportSettings(airport="LFBO")


def now_us():
    return time.time_ns() // 1000


def sighting(number, seen, age_min=0.0, **more):
    known = {"clock_quality": 3, "epoch": 1, "seen_at_us": now_us() - int(age_min * MIN)} | more
    return Sighting(site="lfbo", gateway="roof", lane=0, sequence=number, observation=seen, **known)


def words(*ages_min, first=1000):
    well = LightningWatch(device="tempest", boot_ns=1, listening=True, sensor="ST-1")
    return [sighting(first + n, well, age) for n, age in enumerate(ages_min)]


def strike(number=1, age_min=0.0, km=3.0, **more):
    seen = LightningStrike(device="tempest", boot_ns=1, distance_km=km, sensor="ST-1")
    return sighting(number, seen, age_min, **more)


async def report(database, text="31008KT 9999 FEW030 25/14 Q1015", age_min=5):
    observed_us = now_us() - age_min * MIN
    stamp = time.strftime("%d%H%MZ", time.gmtime(observed_us / 1e6))
    read = decode_metar(f"LFBO {stamp} {text}", now_us())
    kept = ReadReport(digest=text.encode(), observed_at_us=observed_us, report=read)
    async with database.writing() as session:
        await keep_reports(session, [kept], now_us())


async def absorbed(database, seen):
    async with database.writing() as session:
        return await absorb(session, seen)


async def judged(database, at_us=None):
    async with database.writing() as session:
        return await judge(session, HERE, at_us or now_us())


async def state(database, at_us=None):
    async with database.reading() as session:
        ramp = await ramp_at(session, "LFBO", at_us or now_us())
    return ramp.state, ramp.reason


async def test_a_strike_is_an_alert_by_itself(database):
    await report(database)
    await absorbed(database, words(*range(16)))
    await judged(database)
    publisher = Publisher(database, Metrics())
    await publisher.start()
    alerts = Follower("alerts", FOLLOWED, take_in, database, publisher)
    async with running(publisher.run()), running(alerts.run()):
        with publisher.subscribe() as news:
            await asyncio.sleep(0)  # both begin to wait
            async with database.writing() as session:
                await write_events(session, await absorb(session, [strike()]))
            publisher.wake()
            kinds = []
            async with asyncio.timeout(60):
                while "alert_raised" not in kinds:
                    kinds.append((await news.next()).event.__struct_config__.tag)
        publisher.close()
    assert kinds == ["ramp_closed", "alert_raised"]
    async with database.reading() as session:
        (alert,) = await open_alerts(session)
    assert (alert.kind, alert.severity, alert.subject) == ("ramp_closed", "critical", "ramp LFBO")
    assert "lightning" in alert.reason
    assert "Not for flight operations" in alert.reason


async def test_a_strike_closes_and_the_ramp_reopens_once_a_detector_listened_long_enough(database):
    await report(database)
    await absorbed(database, words(*range(16)))
    (closed,) = await absorbed(database, [strike(age_min=1)])
    assert isinstance(closed, RampClosed)
    assert (closed.airport, closed.reason) == ("LFBO", "lightning")
    assert await absorbed(database, [strike(age_min=1)]) == []  # the same one again
    later = now_us() + 14 * MIN + 30_000_000
    await absorbed(database, words(*range(-14, 0), first=2000))
    (reopened,) = await judged(database, later)
    assert isinstance(reopened, RampReopened)
    assert reopened.state == "open"
    assert msgspec.json.decode(msgspec.json.encode(reopened))["notice"].startswith("Not for flight")


async def test_a_silent_detector_makes_the_ramp_unknown_and_never_clear(database):
    await report(database)
    await absorbed(database, words(*range(16)))
    await judged(database)
    await absorbed(database, [strike(age_min=1)])
    for minutes in (4, 10, 13):
        assert (await state(database, now_us() + minutes * MIN))[0] == "closed"
    (unknown,) = await judged(database, now_us() + 15 * MIN)
    assert isinstance(unknown, RampUnknown)
    assert unknown.reason == "lightning_silent"
    assert await judged(database, now_us() + 40 * MIN) == []


async def test_a_detector_that_comes_back_must_listen_for_the_whole_time_first(database):
    await report(database)
    await absorbed(database, words(*range(30, 40)))
    assert await state(database) == ("unknown", "lightning_silent")
    await absorbed(database, words(*range(5), first=3000))
    assert await state(database) == ("unknown", "lightning_too_short")
    await absorbed(
        database, words(*range(5, 30), first=4000)
    )  # what it kept while the link was down
    assert await state(database) == ("open", "fine")


async def test_a_restart_forgets_nothing(database):
    await report(database)
    await absorbed(database, [*words(*range(16)), strike(age_min=2)])
    async with database.reading() as session:
        before = await told_ramp(session, "tls")
    assert (before.state, before.reason) == ("closed", "lightning")
    await judge_all(database, Publisher(database, Metrics()))  # another process begins
    async with database.reading() as session:
        assert await told_ramp(session, "LFBO") == before
        assert [each.airport for each in await told_ramps(session)] == ["LFBO"]


async def test_a_clock_that_jumps_clears_nothing(database, monkeypatch):
    await report(database)
    await absorbed(database, [*words(*range(16)), strike(age_min=2)])
    clocks = {"wall": time.time_ns(), "steady": time.monotonic_ns()}
    guard = ClockGuard(lambda: clocks["wall"], lambda: clocks["steady"])
    monkeypatch.setattr(ramp_store, "CLOCK", guard)
    for jump_min in (20, 180, -20):
        clocks["wall"] += jump_min * MIN * 1000
        monkeypatch.setattr(time, "time_ns", lambda: clocks["wall"])
        assert (await state(database, clocks["wall"] // 1000))[0] in ("closed", "unknown")
        # Sensors whose time is the hub's own go on as if nothing had been.
        await absorbed(database, words(*range(16), first=clocks["wall"] // 1000))
        assert (await state(database, clocks["wall"] // 1000))[0] in ("closed", "unknown")


def test_a_clock_that_is_steered_is_not_set():
    clocks = {"wall": 0, "steady": 0}
    guard = ClockGuard(lambda: clocks["wall"], lambda: clocks["steady"])
    for _ in range(100):
        clocks["wall"] += 1_000_500_000
        clocks["steady"] += 1_000_000_000
        assert guard.set_at_us() is None
    clocks["wall"] -= 60_000_000_000
    assert guard.set_at_us() == clocks["wall"] // 1000


async def test_strikes_of_doubtful_clocks_count_from_when_they_were_heard(database):
    await report(database)
    await absorbed(database, words(*range(16)))
    await absorbed(database, [strike(age_min=170, clock_quality=1)])
    assert await state(database) == ("closed", "lightning")
    corrected = strike(age_min=160)
    async with database.writing() as session:
        await retime(session, [Retimed(corrected, corrected.seen_at_us - 10 * MIN)])
    assert await state(database) == ("open", "fine")


async def test_a_word_on_another_time_is_not_two(database):
    await report(database)
    word = words(0)[0]
    await absorbed(database, [*words(*range(10, 20), first=1), word])
    moved = msgspec.structs.replace(word, seen_at_us=word.seen_at_us - 10 * MIN)
    async with database.writing() as session:
        await retime(session, [Retimed(moved, word.seen_at_us)])
    assert await state(database) == ("unknown", "lightning_silent")


async def test_local_weather_counts_for_its_airport_with_its_source(database):
    await report(database)
    gust = WeatherMeasured(device="wxt", boot_ns=1, wind_speed_mps=10.0, wind_gust_mps=20.0)
    await absorbed(database, [sighting(1, gust)])
    async with database.reading() as session:
        ramp = await ramp_at(session, "LFBO", now_us())
    assert (ramp.state, ramp.reason) == ("closed", "wind_closed")
    assert ramp.rules[0].inputs["by"] == "lfbo/roof/wxt"
    async with database.writing() as session:
        await forget(session, now_us() + 40 * 24 * 60 * MIN)
    assert (await state(database))[0] == "open"


async def test_low_visibility_is_told_when_it_begins_and_ends(database):
    await report(database, "31008KT 0300 FG VV001 05/05 Q1015", 40)
    (low,) = await judged(database)
    assert isinstance(low, LowVisibility)
    assert low.procedures == "in_force"
    await report(database, "31008KT 9999 FEW030 09/05 Q1015", 12)
    (over,) = await judged(database)
    assert over.procedures == "normal"


async def test_an_airports_own_limits_hold_everywhere(database):
    mine = AirportSettings(
        airport="LFBO", sites=("hall",), lightning=LightningLimits(detectors="required")
    )
    await write_settings(database, [mine])
    await report(database)
    async with database.reading() as session:
        assert await settings_of(session, "TLS") == mine
    assert await state(database) == ("unknown", "lightning_silent")
    await judge_all(database, Publisher(database, Metrics()))
    async with database.reading() as session:
        assert (await told_ramp(session, "LFBO")).state == "unknown"
    await write_settings(database, [])
    assert (await state(database))[0] == "open"


def test_airports_are_read_of_a_file(tmp_path):
    toml = tmp_path / "airports.toml"
    toml.write_text(
        '[[airport]]\nairport = "LFBO"\nsites = ["lfbo", "hall"]\n'
        "[airport.lightning]\nall_clear_min = 20\nrings = [{within_km = 10, ramp = 'closed'}]\n"
        "[[airport.equipment]]\nname = 'stairs'\nlimit_kt = 32\nsource = 'maker'\n"
        "[airport.handling]\nunload = { median_min = 6, early_min = 1, late_min = 4 }\n"
        "[airport.changing]\nmake_up_closes_min = 25\n"
        "[[airport.connections]]\nminutes = 30\nstatus = 'DD'\ndeparting_carrier = 'AF'\n"
        "[[airport.runways]]\nname = '14L'\ntrue_bearing_deg = 143\n"
        "[[airport]]\nairport = 'EGLL'\n"
    )
    egll, lfbo = read_airports(toml)
    assert (lfbo.lightning.all_clear_min, lfbo.equipment[0].name) == (20, "stairs")
    assert (lfbo.handling.unload.median_min, lfbo.handling.drive.median_min) == (6, 4)
    assert lfbo.changing.make_up_closes_min == 25
    assert [each.minutes for each in lfbo.connections] == [30]
    assert [each.name for each in lfbo.runways] == ["14L"]
    assert egll.wind.closing_kt == 35
    assert read_airports(None) == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('[[airport]]\nairport = "LFBO"\nsite = "x"\n', "unknown field `site`"),
        ('[[airport]]\nairport = "LFBO"\n[[airport]]\nairport = "LFBO"\n', "comes twice"),
        (
            "".join(
                f'[[airport]]\nairport = "{code}"\nsites = ["a"]\n' for code in ("LFBO", "EGLL")
            ),
            "site a belongs to two airports",
        ),
        ('[[airport]]\nairport = "LFBO"\n[airport.wind]\ncaution_kt = -1\n', ">= 0"),
        ("[[airport", "airports.toml"),
        (
            (
                '[[airport]]\nairport = "LFBO"\n[airport.changing]\n'
                "border = [1, 2, 3, 4, 5, 6, 7, 8, 7]\n"
            ),
            "border: nine tenths in order",
        ),
        (
            (
                '[[airport]]\nairport = "LFBO"\n[airport.handling]\n'
                "in_the_air = [-6, -3, 0, 2, 1, 6, 9, 14, 22]\n"
            ),
            "in_the_air: nine tenths in order",
        ),
        (
            (
                '[[airport]]\nairport = "LFBO"\n[airport.handling]\n'
                "unload = { median_min = -1, early_min = 1, late_min = 1 }\n"
            ),
            r"handling\.unload\.median_min",
        ),
        (
            '[[airport]]\nairport = "LFBO"\n[airport.handling]\nclosure_min = [9, 5, 20]\n',
            "closure_min: 10, 50 and 90 % in this order",
        ),
        (
            (
                '[[airport]]\nairport = "LFBO"\n[[airport.connections]]\nminutes = 30\n'
                '[[airport.connections]]\nminutes = 30\ncarrier = "AF"\n'
            ),
            r"unknown field `carrier` - at `\$\.airport\[0\]\.connections\[1\]`",
        ),
        (
            '[[airport]]\nairport = "LFBO"\n[[airport.connections]]\nminutes = 30\nstatus = "DX"\n',
            "Invalid enum value 'DX'",
        ),
    ],
)
def test_a_mistake_in_the_file_of_airports_is_named(tmp_path, text, error):
    file = tmp_path / "airports.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=error):
        read_airports(file)
