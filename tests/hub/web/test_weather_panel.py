from aerocast_hub.weather.wind_profile import WindFlag
from aerocast_hub.weather.winds import Winds
from aerocast_hub.web.weather_panel import weather_panel


def test_what_the_winds_aloft_are_flagged_for_is_said_in_words():
    winds = Winds(
        place="LFBO",
        at_us=0,
        latitude_deg=43.6,
        longitude_deg=1.4,
        levels=[],
        flags=[
            WindFlag(kind="strong_shear", bottom_ft=500, top_ft=1500, amount=21.6),
            WindFlag(kind="inversion", bottom_ft=1500, top_ft=2500, amount=2.25),
        ],
        refused=0,
        aircraft=[],
    )
    told = weather_panel("LFBO", None, winds).winds_flagged
    assert [each.replace("\u202f", " ") for each in told] == [
        "Strong wind shear 22 kt between 500 ft and 1 500 ft",
        "Inversion, 2.2 K warmer between 1 500 ft and 2 500 ft",
    ]
