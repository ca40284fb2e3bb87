"""Signatures, waiting times, and which addresses are public."""

import hashlib
import hmac
from base64 import b64decode, b64encode

import pytest
from aerocast_hub.webhooks.destinations import (
    Allowed,
    RefusedDestinationError,
    check_url,
    is_public,
    resolve,
)
from aerocast_hub.webhooks.retrying import LONGEST_WAIT_S, MOST_ATTEMPTS, judge, wait_s
from aerocast_hub.webhooks.signing import is_genuine, new_secret, sign
from hypothesis import given, settings
from hypothesis import strategies as st


def test_a_signature_is_that_of_standard_webhooks():
    # The example of the specification's reference libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  a published example
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_made_up_elsewhere_is_a_key_as_it_stands():
    expected = hmac.new(b"13df38", b"m.5.{}", hashlib.sha256).digest()
    assert sign("13df38", "m", 5, b"{}") == "v1," + b64encode(expected).decode()
    assert sign("whsec_not base64!", "m", 5, b"{}").startswith("v1,")


def test_who_has_the_secret_believes_what_is_fresh_and_whole():
    secret = new_secret()
    assert len(b64decode(secret.removeprefix("whsec_"))) == 32
    signature = sign(secret, "msg_1", 1000, b"{}")
    assert is_genuine(secret, "msg_1", "1000", f"v1,old {signature}", b"{}", now_s=1200)
    assert not is_genuine(secret, "msg_1", "1000", signature, b"{}", now_s=1301)
    assert not is_genuine(secret, "msg_2", "1000", signature, b"{}", now_s=1000)
    assert not is_genuine(secret, "msg_1", "1000", signature, b"{ }", now_s=1000)
    assert not is_genuine(new_secret(), "msg_1", "1000", signature, b"{}", now_s=1000)
    assert not is_genuine(secret, "msg_1", "soon", signature, b"{}", now_s=1000)


@given(st.integers(min_value=1, max_value=200), st.floats(min_value=0, max_value=1))
@settings(max_examples=100)
def test_waiting_grows_up_to_a_bound_whatever_chance_says(attempts, chance):
    assert 0 < wait_s(attempts, chance) <= LONGEST_WAIT_S
    assert wait_s(attempts, 0.0) <= wait_s(attempts + 1, 0.0)


def test_a_receiver_is_given_a_night():
    longest = sum(wait_s(each, 0.0) for each in range(1, MOST_ATTEMPTS))
    shortest = sum(wait_s(each, 1.0) for each in range(1, MOST_ATTEMPTS))
    assert 9 < shortest / 3600 < longest / 3600 < 14


def test_success_ends_it_and_gone_ends_it_for_good():
    assert judge(204, 1) == "delivered"
    assert judge(302, 1) == judge(500, 3) == judge(None, MOST_ATTEMPTS - 1) == "again"
    assert judge(None, MOST_ATTEMPTS) == judge(410, 1) == "dead"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",  # noqa: S104  data
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.2.1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b:1::a00:1", "::7f00:1", "::ffff:0:7f00:1",
        "fec0::1", "5f00::1", "100:0:0:1::1", "3fff::1", "192.88.99.1",
    ],
)  # fmt: skip
def test_what_is_inside_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"],
)
def test_what_is_outside_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://example.com/", "https://", "https:///x", "http://user@example.com/",
        "https://u:p@example.com/", "https://example.com:0/", "https://example.com:99999/",
        "https://exa mple.com/", "https://example.com/\r\nx: y", "https://[::1/", "https://é.example/",
        "https://example.com/" + "a" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url):
    with pytest.raises(RefusedDestinationError):
        check_url(url)


@given(st.text(max_size=60) | st.text(max_size=30).map("https://{}".format))
@settings(max_examples=100)
def test_any_text_is_an_address_or_refused(text):
    try:
        assert check_url(text).hostname
    except RefusedDestinationError:
        return


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/", "http://localhost/", "http://[::1]/", "http://2130706433/",
        "http://0x7f.1/", "http://127.1/",
    ],
)  # fmt: skip
async def test_nothing_is_sent_inwards_however_it_is_written(url):
    with pytest.raises(RefusedDestinationError, match=r"not on the public internet|resolved"):
        await resolve(url)


async def test_what_was_resolved_is_what_is_connected_to():
    found = await resolve("http://localhost:81/hook?x=1#y", Allowed(private_too=True))
    assert found.url in {"http://127.0.0.1:81/hook?x=1", "http://[::1]:81/hook?x=1"}
    assert (found.host, found.name) == ("localhost:81", "localhost")


async def test_to_the_internet_nothing_goes_in_the_clear():
    assert (await resolve("https://9.9.9.9/hook")).url == "https://9.9.9.9:443/hook"
    with pytest.raises(RefusedDestinationError, match="https:// alone"):
        await resolve("http://9.9.9.9/hook")


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://hooks.example", True),
        ("https://HOOKS.example:8443/x", True),
        ("https://a.b.airline.example", True),
        ("https://airline.example", False),
        ("https://evilairline.example", False),
        ("https://hooks.example.evil.example", False),
        ("https://9.9.9.9", False),
    ],
)
async def test_an_airport_may_name_the_hosts_it_sends_to(url, may):
    named = Allowed(hosts=("hooks.example", "*.airline.example"))
    assert named.has(check_url(url).hostname) == may
    if not may:
        with pytest.raises(RefusedDestinationError, match="is not among WEBHOOK_HOSTS"):
            await resolve(url, named)
