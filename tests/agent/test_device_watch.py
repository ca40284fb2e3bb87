"""How a device is doing, told from what its driver hands in."""

from aerocast_agent.device_watch import CONNECTED, LOST, DeviceWatch
from aerocast_protocols.observations.bags import NoRead
from aerocast_protocols.observations.gateways import DeviceEvent

SECOND_NS = 1_000_000_000


def event(second, name, antenna=None):
    return DeviceEvent(device="d", boot_ns=second * SECOND_NS, event=name, antenna=antenna)


def read(second):
    return NoRead(device="d", boot_ns=second * SECOND_NS)


def test_reads_a_second_are_those_of_the_last_ten():
    watch = DeviceWatch()
    watch.saw(event(0, "connected"))
    for second in range(30):
        for _ in range(4 if second < 15 else 2):
            watch.saw(read(second))
        watch.look(second * SECOND_NS)
    health = watch.health(29 * SECOND_NS)
    assert (health.state, health.reads, health.reads_per_s) == (CONNECTED, 90, 2.0)
    for second in range(30, 45):
        watch.look(second * SECOND_NS)
    health = watch.health(45 * SECOND_NS)
    assert (health.reads_per_s, health.last_seen_age_s) == (0.0, 16.0)


def test_an_antenna_that_died_is_named_until_it_is_back_or_the_reader_connects_anew():
    watch = DeviceWatch()
    watch.saw(event(0, "connected"))
    watch.saw(event(1, "antenna_connected", 1))
    watch.saw(event(1, "antenna_disconnected", 2))
    assert watch.health(0).antennas == {1: True, 2: False}
    watch.saw(event(2, "antenna_connected", 2))
    assert watch.health(0).antennas == {1: True, 2: True}
    watch.saw(event(3, "antenna_disconnected"))  # it does not say which
    watch.lost("gone")
    assert watch.health(0).antennas == {}
    watch.saw(event(4, "antenna_disconnected", 1))  # readers tell while they are set up
    watch.saw(event(4, "connected"))
    assert watch.health(0).antennas == {1: False}
    watch.let_go()
    assert watch.health(0).antennas == {}


def test_only_coming_back_counts_as_a_reconnect():
    watch = DeviceWatch()
    assert not watch.lost("it never answered")
    watch.saw(event(1, "connected"))
    assert watch.health(0).reconnects == 0
    assert watch.lost("gone")
    assert (watch.state, watch.error) == (LOST, "gone")
    assert not watch.lost("still gone")
    watch.saw(event(9, "connected"))
    health = watch.health(0)
    assert (health.reconnects, health.error) == (1, None)


def test_a_connected_device_that_says_nothing_for_too_long_is_silent():
    watch = DeviceWatch(silent_after_s=5)
    assert not watch.health(100 * SECOND_NS).silent
    watch.saw(event(100, "connected"))
    assert not watch.health(104 * SECOND_NS).silent
    assert watch.health(106 * SECOND_NS).silent
    watch.saw(read(106))
    watch.look(106 * SECOND_NS)
    assert not watch.health(110 * SECOND_NS).silent
    watch.lost("unplugged")
    assert not watch.health(200 * SECOND_NS).silent  # it is lost, which says more
