from uuid import UUID

from aerocast_hub.orientation.links import link_key, make_token, read_token
from hypothesis import given, settings
from hypothesis import strategies as st

KEY = link_key("a signing key of the hub, long enough")
NOW_S = 1_720_224_000


@given(st.uuids(), st.integers(1, 10**9))
def test_a_link_opens_its_page_until_it_expires(passenger, valid_s):
    token = make_token(KEY, passenger, NOW_S + valid_s)
    assert read_token(KEY, token, NOW_S) == passenger
    assert read_token(KEY, token, NOW_S + valid_s - 1) == passenger
    assert read_token(KEY, token, NOW_S + valid_s) is None


@settings(max_examples=200)
@given(st.uuids(), st.integers(0, 54), st.characters(min_codepoint=33, max_codepoint=126))
def test_a_changed_link_opens_nothing_else(passenger, place, other):
    token = make_token(KEY, passenger, NOW_S + 60)
    changed = token[:place] + other + token[place + 1 :]
    assert read_token(KEY, changed, NOW_S) in ({passenger} if changed == token else {None})


@given(st.text(max_size=100))
def test_any_text_is_a_link_or_nothing(text):
    assert read_token(KEY, text, NOW_S) is None


def test_a_link_of_another_hub_opens_nothing():
    token = make_token(link_key("another"), UUID(int=7), NOW_S + 60)
    assert read_token(KEY, token, NOW_S) is None


def test_a_link_has_one_spelling():
    token = make_token(KEY, UUID(int=7), NOW_S + 60)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    opened = [each for each in letters if read_token(KEY, token[:-1] + each, NOW_S) is not None]
    assert opened == [token[-1]]
    assert read_token(KEY, token + "=", NOW_S) is None
