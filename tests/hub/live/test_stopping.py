"""An operator's open page does not keep the hub from stopping."""

import httpx

from tests.hub.browser.conftest import NAME, PASSWORD, Hub


def test_the_hub_stops_while_somebody_listens(tmp_path):
    hub = Hub(tmp_path)
    hub.command("user", "add", NAME, given=f"{PASSWORD}\n")
    hub.start()
    login = {"name": NAME, "password": PASSWORD}
    tokens = httpx.post(f"{hub.base}/auth/login", json=login, timeout=60).json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    with httpx.stream("GET", f"{hub.base}/live", headers=headers, timeout=60) as listening:
        lines = listening.iter_lines()
        assert next(lines) == "event: ready"
        hub.stop()
        assert "event: behind" in list(lines)
    assert "are cut" not in hub.logged()  # as those are who do not end by themselves
    assert hub.process.returncode == 0
