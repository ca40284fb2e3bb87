from aerocast_hub.gateways.losses import Account
from aerocast_hub.web.loss_lines import NARROWEST_PERCENT, loss_lines
from hypothesis import given
from hypothesis import strategies as st

few = st.integers(0, 10**7)


def account(name="hall-1", **given):
    numbers = dict.fromkeys(
        (
            "accepted", "durable", "acknowledged", "evicted", "dead",
            "received", "refused", "awaited", "unexplained",
        ),
        0,
    )  # fmt: skip
    everything = {"explained": {}, "lanes": ()} | numbers | given
    return Account(site="lfbo", gateway=name, **everything)


def test_a_gateway_that_lost_nothing_says_so():
    (line,) = loss_lines([account(accepted=10, durable=10, received=10)], {})
    assert (line.verdict, line.tone, line.waiting) == ("nothing lost", "good", 0)
    assert [(fate.name, fate.percent) for fate in line.fates] == [("stored", 100.0)]


def test_one_of_millions_that_nobody_explains_is_seen_and_comes_first():
    good = account("a", accepted=5, received=5)
    bad = account("b", accepted=9_000_001, received=9_000_000, unexplained=1)
    lines = loss_lines([good, bad], {("lfbo", "a"): 2})
    assert [line.name for line in lines] == ["b", "a"]
    assert (lines[0].tone, lines[0].fates[-1].name) == ("alarm", "unexplained")
    assert lines[0].fates[-1].percent > 1
    assert lines[1].unanchored == 2


def test_losses_that_are_explained_say_why():
    told = account(accepted=100, received=80, refused=2, explained={"disk_full": 18}, dead=2)
    (line,) = loss_lines([told], {})
    assert (line.verdict, line.tone, line.reasons) == (
        "every loss explained",
        "warn",
        "disk full 18",
    )
    assert (line.given_up, line.dead, line.waiting) == (18, 2, 0)


def test_a_gateway_nothing_came_from_has_no_line():
    assert loss_lines([account()], {}) == ()


@given(few, few, few, few)
def test_the_bar_is_whole_and_every_share_can_be_seen(received, refused, unexplained, waiting):
    total = received + refused + unexplained + waiting
    told = account(accepted=total, received=received, refused=refused, unexplained=unexplained)
    for line in loss_lines([told], {}):
        assert line.waiting == waiting
        assert abs(sum(fate.percent for fate in line.fates) - 100) < 0.1
        assert all(fate.percent > NARROWEST_PERCENT / 2 for fate in line.fates)
