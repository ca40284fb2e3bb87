"""Who may do what at a broker follows from its name alone."""

import pytest
from aerocast_hub.enrolment.broker_access import Resource, may, may_use
from aerocast_protocols.topics import EVERY_UP, down, up
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True)
GATEWAY, HUB = "lfbo/hall-1", "aerocast-hub"


@pytest.mark.parametrize("kind", ["0", "1", "2", "status", "twin", "result"])
def test_a_gateway_speaks_under_its_own_name(kind):
    assert may(GATEWAY, "publish", up("lfbo", "hall-1", kind))
    assert not may(GATEWAY, "subscribe", up("lfbo", "hall-1", kind))
    assert not may(GATEWAY, "publish", up("lfbo", "hall-1", kind) + "/more")


@pytest.mark.parametrize("kind", ["ack", "desired", "command"])
def test_a_gateway_hears_what_is_for_it_and_says_no_such_thing(kind):
    assert may(GATEWAY, "subscribe", down("lfbo", "hall-1", kind))
    assert not may(GATEWAY, "publish", down("lfbo", "hall-1", kind))


@pytest.mark.parametrize(
    "topic",
    [
        "#",
        "+",
        EVERY_UP,
        "aerocast/1/lfbo/+/down/ack",
        "aerocast/1/lfbo/hall-1/down/#",
        "$SYS/#",
        "",
    ],
)
def test_a_gateway_hears_by_no_wildcard(topic):
    assert not may(GATEWAY, "subscribe", topic)
    assert not may(GATEWAY, "publish", topic)


@given(NAMES, NAMES, NAMES, NAMES, st.sampled_from(["0", "1", "2", "status", "ack", "command"]))
@settings(max_examples=100, deadline=None)
def test_no_gateway_does_anything_under_anothers_name(site, name, other_site, other, kind):
    is_own = (site, name) == (other_site, other)
    for topic in (up(other_site, other, kind), down(other_site, other, kind)):
        for action in ("publish", "subscribe"):
            assert is_own or not may(f"{site}/{name}", action, topic)
            resource = Resource("topic", "amq.topic", "write" if action == "publish" else "read")
            allowed = may_use(f"{site}/{name}", resource, topic.replace("/", "."))
            assert allowed == may(f"{site}/{name}", action, topic)
    for queue in (f"{other_site}.{other}qos1", f"{other_site}.{other}.doctorqos0"):
        resource = Resource("queue", f"mqtt-subscription-{queue}", "read")
        assert may_use(f"{site}/{name}", resource, None) == is_own


@given(st.text(max_size=40), st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_nobody_in_particular_may_nothing(name, topic):
    if name not in {HUB, GATEWAY}:
        assert not may(name, "publish", topic)
        assert not may(name, "subscribe", topic)


def test_the_hub_hears_everybody_and_answers_everybody():
    assert may(HUB, "subscribe", EVERY_UP)
    assert may(HUB, "subscribe", f"$share/hub/{EVERY_UP}")
    assert may(HUB, "publish", down("lfbo", "hall-1", "ack"))
    assert not may(HUB, "publish", up("lfbo", "hall-1", 0))
    assert not may(HUB, "subscribe", "#")


@pytest.mark.parametrize(
    ("resource", "allowed"),
    [
        (Resource("exchange", "amq.topic", "write"), True),
        (Resource("exchange", "amq.topic", "read"), True),
        (Resource("exchange", "amq.topic", "configure"), False),
        (Resource("exchange", "amq.fanout", "write"), False),
        (Resource("queue", "mqtt-subscription-lfbo.hall-1qos1", "configure"), True),
        (Resource("queue", "mqtt-subscription-lfbo.hall-10qos1", "configure"), False),
        (Resource("queue", "aerocast.hub", "read"), False),
        (Resource("vhost", "/", "read"), False),
        (Resource("topic", "amq.topic", "write"), False),  # without a routing key
    ],
)
def test_a_gateway_uses_of_rabbitmq_its_own_queue_and_the_one_exchange(resource, allowed):
    assert may_use(GATEWAY, resource, None) is allowed
