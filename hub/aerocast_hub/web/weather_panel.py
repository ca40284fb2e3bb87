"""An airport's weather as the operators' page shows it: report, age, ramp, wind above."""

from collections.abc import Iterable

from aerocast_protocols.weather.metar_report import Cloud, Metar

from aerocast_hub.orientation.wording import say
from aerocast_hub.weather.ramp import Ramp
from aerocast_hub.weather.store import AirportWeather
from aerocast_hub.weather.wind_profile import WindFlag
from aerocast_hub.weather.winds import Winds
from aerocast_hub.web.views import Tone, WeatherPanel, WindLevel
from aerocast_hub.web.wording import bearing, figure

_TONES: dict[str, Tone] = {
    "open": "good",
    "caution": "warn",
    "closed": "alarm",
    "unknown": "idle",
}
_COVERS = {
    "FEW": "few",
    "SCT": "scattered",
    "BKN": "broken",
    "OVC": "overcast",
    "VV": "sky hidden, seen up to",
    "SKC": "clear",
    "CLR": "clear",
    "NSC": "none that matter",
    "NCD": "none detected",
    "CAVOK": "none that matter",
}
# WMO code table 4678, as METAR present weather uses it.
_PHENOMENA = {
    "MI": "shallow", "PR": "partial", "BC": "patches of", "DR": "drifting", "BL": "blowing",
    "SH": "showers of", "TS": "thunderstorm", "FZ": "freezing", "DZ": "drizzle", "RA": "rain",
    "SN": "snow", "SG": "snow grains", "IC": "ice crystals", "PL": "ice pellets", "GR": "hail",
    "GS": "small hail", "UP": "precipitation", "BR": "mist", "FG": "fog", "FU": "smoke",
    "VA": "volcanic ash", "DU": "dust", "SA": "sand", "HZ": "haze", "PO": "dust whirls",
    "SQ": "squalls", "FC": "funnel cloud", "SS": "sandstorm", "DS": "duststorm",
}  # fmt: skip


# Words, unit and decimals of what the winds aloft are flagged for.
_FLAGS = {
    "shear": ("Wind shear", "kt", 0),
    "strong_shear": ("Strong wind shear", "kt", 0),
    "inversion": ("Inversion,", "K warmer", 1),
    "low_level_jet": ("Low-level jet", "kt", 0),
}


def weather_panel(station: str, weather: AirportWeather | None, winds: Winds) -> WeatherPanel:
    """Word an airport's weather; without a report there may still be winds."""
    levels = _levels(winds)
    flagged = tuple(_flag(each) for each in winds.flags)
    if weather is None:
        return WeatherPanel(
            station=station,
            ramp="unknown",
            ramp_tone="idle",
            ramp_why=say("en", "ramp_no_report", {}),
            levels=levels,
            winds_flagged=flagged,
        )
    panel = WeatherPanel(
        station=weather.station,
        ramp=weather.ramp.state,
        ramp_tone=_TONES[weather.ramp.state],
        ramp_why=_why(weather.ramp),
        observed_at_us=weather.observed_at_us,
        age_s=weather.age_s,
        is_old=weather.freshness in ("stale", "expired"),
        levels=levels,
        winds_flagged=flagged,
    )
    return panel if weather.report is None else _with_report(panel, weather.report)


def _with_report(panel: WeatherPanel, report: Metar) -> WeatherPanel:
    return WeatherPanel(
        station=panel.station,
        ramp=panel.ramp,
        ramp_tone=panel.ramp_tone,
        ramp_why=panel.ramp_why,
        observed_at_us=panel.observed_at_us,
        age_s=panel.age_s,
        is_old=panel.is_old,
        levels=panel.levels,
        winds_flagged=panel.winds_flagged,
        wind=_wind(report),
        visibility=_visibility(report),
        clouds=_clouds(report.clouds),
        weather=", ".join(_phenomenon(each) for each in report.weather) or None,
        temperature=_temperature(report),
        pressure=f"{report.altimeter_hpa:.0f}\u202fhPa" if report.altimeter_hpa else None,
        category=report.flight_category,
        raw=report.raw,
    )


def _why(ramp: Ramp) -> str:
    values: dict[str, str | int] = {}
    if ramp.observed_at_us is not None:
        values["at_us"] = ramp.observed_at_us
    if ramp.wind_kt is not None:
        values["wind_kt"] = round(ramp.wind_kt)
    return say("en", f"ramp_{ramp.reason}", values)


def _wind(report: Metar) -> str | None:
    if report.wind_speed_kt is None:
        return None
    if report.wind_speed_kt == 0:
        return "calm"
    direction = report.wind_direction_deg
    words = "variable" if direction == "VRB" else f"from {bearing(direction)}"
    words += f", {figure(report.wind_speed_kt, 0, 'kt')}"
    if report.wind_gust_kt is not None:
        words += f", gusts {figure(report.wind_gust_kt, 0, 'kt')}"
    return words


def _visibility(report: Metar) -> str | None:
    metres = report.visibility_m
    if metres is None:
        return None
    if metres >= 9999:
        return "10\u202fkm or more"
    shown = figure(metres / 1000, 1, "km") if metres >= 5000 else figure(metres, 0, "m")
    return {"M": "under ", "P": "over "}.get(report.visibility_qualifier or "", "") + shown


def _clouds(clouds: Iterable[Cloud]) -> str | None:
    layers = []
    for cloud in clouds:
        words = _COVERS.get(cloud.cover or "", "not known")
        if cloud.base_ft is not None:
            words += f" {figure(cloud.base_ft, 0, 'ft')}"
        layers.append(f"{words} {cloud.type}" if cloud.type else words)
    return ", ".join(layers) or None


def _phenomenon(code: str) -> str:
    """Read a group such as ``+TSRA`` or ``VCSH``; one nobody knows stays as it is."""
    strength = {"+": "heavy ", "-": "light "}.get(code[:1], "")
    letters = code.removeprefix("+").removeprefix("-")
    nearby = letters.startswith("VC")
    letters = letters.removeprefix("VC")
    pairs = [letters[at : at + 2] for at in range(0, len(letters), 2)]
    if not pairs or any(pair not in _PHENOMENA for pair in pairs):
        return code
    words = " ".join(_PHENOMENA[pair] for pair in pairs).removesuffix(" of")
    return f"{strength}{words}{' nearby' if nearby else ''}"


def _temperature(report: Metar) -> str | None:
    if report.temperature_c is None:
        return None
    dew = figure(report.dew_point_c, 0, "°C")
    return f"{figure(report.temperature_c, 0, '°C')} / {dew}"


def _flag(flag: WindFlag) -> str:
    words, unit, places = _FLAGS[flag.kind]
    between = f"{figure(flag.bottom_ft, 0, 'ft')} and {figure(flag.top_ft, 0, 'ft')}"
    return f"{words} {figure(flag.amount, places, unit)} between {between}"


def _levels(winds: Winds) -> tuple[WindLevel, ...]:
    """Take the levels several aircraft flew through; where only one did, what it met."""
    found = [
        WindLevel(
            altitude_ft=(level.bottom_ft + level.top_ft) / 2,
            direction_deg=level.wind_direction_deg,
            speed_kt=level.wind_speed_kt,
            sigma_kt=level.sigma_kt,
            aircraft=level.aircraft,
        )
        for level in winds.levels
        if level.wind_direction_deg is not None and level.wind_speed_kt is not None
    ]
    alone = [level for level in winds.levels if level.aircraft == 1]
    found += [
        WindLevel(
            altitude_ft=aircraft.altitude_ft,
            direction_deg=aircraft.wind_direction_deg,
            speed_kt=aircraft.wind_speed_kt,
            aircraft=1,
        )
        for aircraft in winds.aircraft
        if any(level.bottom_ft <= aircraft.altitude_ft < level.top_ft for level in alone)
    ]
    return tuple(found)
