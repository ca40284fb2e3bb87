from aerocast_hub.orientation.links import (
    ID_BYTES,
    TOKEN_LETTERS,
    link_key,
    make_token,
    new_link_id,
    read_token,
)
from aerocast_hub.token_letters import letters_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

KEY = link_key("a signing key of the hub, long enough")
NOW_S = 1_720_224_000
IDS = st.binary(min_size=ID_BYTES, max_size=ID_BYTES).map(letters_of)
SEVEN = letters_of(bytes(ID_BYTES - 1) + b"\7")


@given(st.binary(min_size=ID_BYTES, max_size=ID_BYTES))
@example(b"\xf8" + bytes(ID_BYTES - 1))
def test_a_new_link_is_named_as_no_option_of_a_command_is(random_bytes):
    link_id = new_link_id(random_bytes)
    assert link_id[0].isalpha()
    assert read_token(KEY, make_token(KEY, link_id, NOW_S + 60), NOW_S).link_id == link_id


@given(IDS, st.integers(1, 10**9))
def test_a_token_names_its_link_until_it_expires(link_id, valid_s):
    token = make_token(KEY, link_id, NOW_S + valid_s)
    assert len(token) == TOKEN_LETTERS
    assert read_token(KEY, token, NOW_S) == (link_id, NOW_S + valid_s)
    assert read_token(KEY, token, NOW_S + valid_s - 1) is not None
    assert read_token(KEY, token, NOW_S + valid_s) is None


@settings(max_examples=100)
@given(IDS, st.integers(0, 39), st.characters(min_codepoint=33, max_codepoint=126))
@example("bKDV3DNW259n", 30, "/")  # base64 reads it as the letter that stood there
def test_a_changed_token_names_nothing(link_id, place, other):
    token = make_token(KEY, link_id, NOW_S + 60)
    changed = token[:place] + other + token[place + 1 :]
    assert (read_token(KEY, changed, NOW_S) is None) == (changed != token)


@given(st.text(max_size=100))
def test_any_text_is_a_token_or_nothing(text):
    assert read_token(KEY, text, NOW_S) is None


def test_a_token_of_another_hub_names_nothing():
    token = make_token(link_key("another"), SEVEN, NOW_S + 60)
    assert read_token(KEY, token, NOW_S) is None


def test_a_token_has_one_spelling():
    token = make_token(KEY, SEVEN, NOW_S + 60)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    opened = [each for each in letters if read_token(KEY, token[:-1] + each, NOW_S) is not None]
    assert opened == [token[-1]]
    for longer in (token + "=", token + "A", token[:-1], token.replace("-", "+")):
        assert longer == token or read_token(KEY, longer, NOW_S) is None
