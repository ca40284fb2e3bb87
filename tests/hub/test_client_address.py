"""What proxies say of a client is believed only of our own proxies."""

import httpx
import pytest
from aerocast_hub.app import create_app
from aerocast_hub.client_address import client_address, limited_as, read_networks
from aerocast_hub.settings import SERVICES, SettingsError, load_settings
from hypothesis import given
from hypothesis import strategies as st

OURS = read_networks("10.0.0.0/8, 192.0.2.7, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # a stranger says anything
        ("10.0.0.1", ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.9, 10.2.3.4"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1", "203.0.113.9", "192.0.2.7"], "203.0.113.9"),
        ("10.0.0.1", ["10.9.9.9"], "10.9.9.9"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, nonsense, 10.1.1.1"], "10.1.1.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("fd00::1", [" 203.0.113.9 "], "203.0.113.9"),
        ("unix", ["203.0.113.9"], "unix"),
    ],
)
def test_the_list_is_read_from_the_right_as_far_as_our_proxies_wrote_it(peer, said, client):
    assert client_address(peer, said, OURS) == client


@given(st.lists(st.text(max_size=40), max_size=40))
def test_nothing_a_stranger_sends_names_another_client(said):
    assert client_address("10.0.0.1", [*said, "203.0.113.9"], OURS) == "203.0.113.9"
    assert client_address("203.0.113.9", said, OURS) == "203.0.113.9"


@given(st.lists(st.ip_addresses(v=4).map(str), max_size=100))
def test_a_list_of_any_length_gives_an_address_of_it(said):
    assert client_address("10.0.0.1", said, OURS) in {"10.0.0.1", *said}


def test_an_ipv6_client_counts_with_its_whole_network():
    assert limited_as("2001:db8:1:2:3::4") == limited_as("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert limited_as("203.0.113.9") == "203.0.113.9"


@pytest.mark.parametrize("networks", ["10.0.0.1/8", "everyone", "10.0.0.0/33"])
def test_what_is_no_network_is_refused_at_the_start(networks):
    with pytest.raises(SettingsError, match=networks.partition("/")[0]):
        load_settings(mode="dev", trusted_proxies=networks)


async def metrics_of(settings, **headers):
    transport = httpx.ASGITransport(create_app(settings, SERVICES), client=("127.0.0.1", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as hub:
        return await hub.get("/metrics", headers=headers)


async def test_who_comes_through_a_proxy_of_ours_is_not_taken_for_the_proxy(tmp_path):
    plain = load_settings(mode="dev", data_dir=tmp_path)
    behind = plain.model_copy(update={"trusted_proxies": "127.0.0.0/8"})
    said = {"x-forwarded-for": "203.0.113.9"}
    assert (await metrics_of(plain)).status_code == 200
    assert (await metrics_of(plain, **said)).status_code == 403  # whose it is nobody can tell
    assert (await metrics_of(behind, **said)).status_code == 403
    assert (await metrics_of(behind, **{"x-forwarded-for": "127.0.0.2"})).status_code == 200
    assert (await metrics_of(behind)).status_code == 200


async def test_https_ends_at_the_proxy_and_browsers_are_told_to_stay_on_it(tmp_path):
    settings = load_settings(mode="dev", data_dir=tmp_path, trusted_proxies="127.0.0.0/8")
    said = {"x-forwarded-proto": "https", "x-forwarded-for": "127.0.0.1"}
    assert "strict-transport-security" in (await metrics_of(settings, **said)).headers
    assert "strict-transport-security" not in (await metrics_of(settings)).headers
