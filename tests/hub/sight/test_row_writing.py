"""Whoever is bound to an airline changes nothing of another one, and sees what joins its own."""


async def test_nobody_acts_on_others_bags_or_alerts(hub, token, airline, own, other):
    act = {"did": "held", "place": "room 3"}

    async def tell(path, headers=airline, **body):
        return (await hub.post(path, headers=headers, **body)).status_code

    assert await tell(f"/api/bags/{other.plate}/actions", json=act) == 404
    assert await tell("/api/bags/9999999999/actions", json=act) == 404
    assert await tell(f"/bags/{other.bag_id}/actions", data={"did": "held"}) == 404
    assert await tell(f"/api/alerts/{other.alert_id}/acknowledgement", json={}) == 404
    assert await tell(f"/alerts/{other.alert_id}/acknowledge", data={"note": ""}) == 404
    whole = token()
    bag = (await hub.get(f"/api/bags/{other.plate}", headers=whole)).json()
    assert bag["journey"]["state"] != "held"
    alert = (await hub.get(f"/api/alerts/{other.alert_id}", headers=whole)).json()["alert"]
    assert alert["acknowledged_by"] is None
    assert await tell(f"/api/bags/{own.plate}/actions", json=act) == 200
    assert await tell(f"/api/alerts/{own.alert_id}/acknowledgement", json={}) == 200


async def test_a_bag_of_others_that_is_stowed_for_ones_flight_is_seen(
    hub, token, own, other, airline
):
    day = (await hub.get(f"/api/flights/{own.flight_id}", headers=airline)).json()["date"]
    stow = {"did": "stowed", "flight": own.flight, "flight_date": day}
    stowed = await hub.post(f"/api/bags/{other.plate}/actions", headers=token(), json=stow)
    assert stowed.status_code == 200, stowed.text
    told = (await hub.get(f"/api/flights/{own.flight_id}/bags", headers=airline)).text
    assert other.plate in told
