"""What must be true of any airport report, for tests."""


def hold(report):
    """Check what must be true of any report."""
    if report.visibility_m is None:
        assert report.flight_category is None
    if isinstance(report.wind_direction_deg, int):
        assert 0 <= report.wind_direction_deg <= 360
    assert report.wind_speed_kt is None or 0 <= report.wind_speed_kt <= 250
    assert report.temperature_c is None or -90 <= report.temperature_c <= 60
    assert report.altimeter_hpa is None or 850 <= report.altimeter_hpa <= 1090
    for group in report.unparsed:
        assert group in report.raw
