"""Who is bound to an airline acts on its bags, and through them on nobody else's."""

import pytest


async def retag(hub, headers, plate, new_plate):
    asked = {"did": "retagged", "new_plate": new_plate}
    return await hub.post(f"/api/bags/{plate}/actions", json=asked, headers=headers)


async def test_a_bag_does_not_become_one_with_another_airlines_by_a_new_tag(
    hub, token, airline, own, other
):
    refused = await retag(hub, airline, own.plate, other.plate)
    assert refused.status_code == 404, refused.text
    everybody = token()
    for each in (own, other):
        bag = (await hub.get(f"/api/bags/{each.plate}", headers=everybody)).json()
        assert (bag["id"], bag["flight"], bag["plates"]) == (each.bag_id, each.flight, [each.plate])


async def test_a_tag_nobody_has_seen_is_given_to_ones_own(hub, airline, own):
    given = await retag(hub, airline, own.plate, "0057999999")
    assert (given.status_code, given.json()["plates"]) == (200, [own.plate, "0057999999"])


@pytest.mark.parametrize("plate", ["own", "other", "nobody's"])
async def test_who_sees_everything_may_give_any(hub, token, own, other, plate):
    new = {"own": own.plate, "other": other.plate, "nobody's": "0057999998"}[plate]
    assert (await retag(hub, token(), own.plate, new)).status_code == 200
