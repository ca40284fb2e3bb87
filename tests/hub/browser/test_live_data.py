"""What a gateway tells over the wire is on the operators' page at once, without a reload."""

import pytest
from aerocast_protocols.observations.aircraft import AircraftGroundEvent, AircraftWeather
from aerocast_protocols.observations.bags import BagPassage
from aerocast_protocols.observations.gateways import Evicted, GatewayHealth
from playwright.sync_api import expect

from tests.hub.browser.conftest import told_alone
from tests.hub.browser.day import ICAO, PLATE
from tests.hub.browser.gateway import boot_ns

SECOND_NS = 1_000_000_000


def passage(point, belt, plate=PLATE, ago_s=0, **more):
    return BagPassage(
        device="portal-4",
        boot_ns=boot_ns() - ago_s * SECOND_NS,
        belt=belt,
        point=point,
        epc=bytes(16),
        licence_plate=plate,
        sigma_ms=20.0,
        reads=12,
        confidence=0.98,
        **more,
    )


def on_ground(event, ago_s, stand=None):
    return AircraftGroundEvent(
        device="sky",
        boot_ns=boot_ns() - ago_s * SECOND_NS,
        known_at_boot_ns=boot_ns(),
        icao=ICAO,
        callsign="AFR6120",
        event=event,
        sigma_s=4.0,
        stand=stand,
        latitude_deg=43.63,
        longitude_deg=1.37,
    )


def health():
    return GatewayHealth(
        device="agent",
        boot_ns=boot_ns(),
        agent_version="0.1.0",
        accepted=12,
        durable=12,
        acked=9,
        clock_quality=4,
        devices={"portal-4": "connected", "gps": "connected", "sky": "lost"},
    )


def winds():
    return [
        AircraftWeather(
            device="sky",
            boot_ns=boot_ns() - n * SECOND_NS,
            icao=f"39440{n % 3}",
            latitude_deg=43.7,
            longitude_deg=1.4,
            altitude_ft=1500.0 + 1000.0 * (n // 3),
            wind_direction_deg=310.0 - 3 * n,
            wind_speed_kt=14.0 + 2.5 * n,
        )
        for n in range(30)
    ]


def test_a_bag_a_flight_and_a_gateway_appear_without_a_reload(operator, gateway):
    page = told_alone(operator("/"))
    expect(page.get_by_text("No bag has been seen")).to_be_visible()

    gateway.tell(passage("sortation", "belt-4"))
    bag = page.get_by_role("row", name="0220 123456")
    expect(bag).to_contain_text("sorted")
    expect(bag).to_contain_text("AF6120")

    gateway.tell(on_ground("landed", 240), on_ground("on_stand", 60, "A12"))
    flight = page.get_by_role("row", name="AF6120 ORY")
    expect(flight).to_contain_text("on block")
    expect(flight).to_contain_text("A12")

    gateway.tell(health())
    expect(page.get_by_role("list", name="Devices of hall-1")).to_contain_text("sky: lost")
    expect(page.locator(".gateways")).to_contain_text("GPS")

    gateway.tell(passage("reclaim", "belt-4"))
    expect(page.get_by_text("No bag has been seen")).to_be_visible()
    assert page.evaluate("window.sameDocument")


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"width": 390, "height": 844}])
def test_a_full_page_fits_and_shows_weather_and_winds(operator, gateway, look):
    gateway.tell(
        *(
            passage(point, "belt-4", f"02201300{n:02d}", 20 * n)
            for n, point in enumerate(
                ["acceptance", "screening", "sortation", "makeup", "loading", "arrival"]
            )
        ),
        passage("loading", "belt-5", "0220130009", 31, ambiguous=True, candidates=("belt-4",)),
        health(),
        *winds(),
    )
    page = operator("/", **look)
    expect(page.get_by_role("img", name="Wind by altitude")).to_be_visible()
    expect(page.get_by_text("10\u202fkm or more")).to_be_visible()
    expect(page.locator(".weather-now")).to_contain_text("from 320°, 14\u202fkt")
    expect(page.get_by_text("ramp open")).to_be_visible()
    width = look.get("width", 1360)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_bags_journey_is_told_point_by_point(operator, gateway):
    plate = "0220140001"
    gateway.tell(
        passage("acceptance", "desk-2", plate, 300),
        passage("sortation", "belt-4", plate, 120, ambiguous=True, candidates=("belt-5",)),
    )
    page = operator("/")
    page.get_by_role("link", name="0220 140001", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bag 0220\u00a0140001")
    points = page.locator(".journey li:not(.inferred)")
    expect(points).to_have_count(2)
    expect(points.nth(0)).to_contain_text("acceptance")
    expect(page.get_by_text("which is not sure")).to_be_visible()
    told_alone(page)
    gateway.tell(passage("loading", "belt-4", plate))
    expect(points).to_have_count(3)


def test_a_bag_nobody_knows_is_a_page_that_says_so(operator):
    page = operator("/", expects="status of 404")
    page.goto("/bags/none-such")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"width": 390, "height": 844}])
def test_the_loss_account_says_where_everything_is(operator, gateway, look):
    gateway.tell(
        health(),
        Evicted(
            device="agent", boot_ns=boot_ns(), lane=2, epoch=1 << 32 | 6,
            first_sequence=1, last_sequence=40, reason="disk_full",
        ),
    )  # fmt: skip
    page = operator("/", **look)
    line = page.get_by_role("list", name="Loss account").get_by_role("listitem")
    expect(line).to_contain_text("every loss explained")
    expect(line).to_contain_text("disk full 40")
    expect(line.locator("rect.fate-given-up")).to_have_count(1)
    expect(line.locator("rect.fate-unexplained")).to_have_count(0)
    width = look.get("width", 1360)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
