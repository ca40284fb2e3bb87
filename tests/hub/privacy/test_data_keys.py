import base64

import pytest
from aerocast_hub.data_keys import FILE, DataKeyError, DataKeys, data_keys_in, read_data_keys
from aerocast_hub.settings import SettingsError, load_settings
from hypothesis import given, settings
from hypothesis import strategies as st

ONE, TWO = bytes(range(32)), bytes(range(1, 33))
KEYS = DataKeys([ONE])


@given(st.binary(max_size=200), st.text(max_size=20))
@settings(max_examples=50)
def test_what_is_sealed_opens_and_tells_nothing_of_itself(plain, about):
    sealed = KEYS.seal(plain, about)
    assert KEYS.open(sealed, about) == plain
    assert len(plain) < 4 or plain not in sealed
    assert KEYS.seal(plain, about) != sealed


@pytest.mark.parametrize("at", [0, 1, 5, 20, -1])
def test_what_was_changed_or_moved_does_not_open(at):
    sealed = bytearray(KEYS.seal(b"Smith", "passengers.surname"))
    with pytest.raises(DataKeyError, match="does not open"):
        KEYS.open(bytes(sealed), "passengers.passenger")
    sealed[at] ^= 1
    with pytest.raises(DataKeyError):
        KEYS.open(bytes(sealed), "passengers.surname")


def test_an_old_key_opens_and_the_newest_seals():
    old, both = DataKeys([TWO]), DataKeys([ONE, TWO])
    sealed = old.seal(b"x", "a")
    assert both.open(sealed, "a") == b"x"
    assert not both.is_newest(sealed)
    assert both.is_newest(both.seal(b"x", "a"))
    with pytest.raises(DataKeyError, match="a was sealed with a key this hub does not have"):
        KEYS.open(sealed, "a")


def test_a_keyed_hash_finds_a_value_under_every_key_and_tells_columns_apart():
    both = DataKeys([ONE, TWO])
    assert both.indexes("PNR123", "p") == [
        KEYS.index("PNR123", "p"),
        DataKeys([TWO]).index("PNR123", "p"),
    ]
    assert KEYS.index("PNR123", "p") != KEYS.index("PNR123", "q")


def test_the_first_key_is_made_once_and_for_its_owner_alone(tmp_path):
    made = data_keys_in(tmp_path / "data")
    assert (tmp_path / "data" / FILE).stat().st_mode & 0o777 == 0o600
    again = data_keys_in(tmp_path / "data")
    assert again.open(made.seal(b"x", "a"), "a") == b"x"


def test_a_running_hub_learns_of_a_new_key_when_it_meets_it(tmp_path):
    running, command = data_keys_in(tmp_path), data_keys_in(tmp_path)
    old = running.seal(b"old", "a")
    command.add_new()
    assert running.open(command.seal(b"new", "a"), "a") == b"new"
    assert running.count == 2
    assert command.open(old, "a") == b"old"
    command.drop_old()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    with pytest.raises(DataKeyError):
        command.open(old, "a")


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(ONE[:31]).decode(), "ü" * 44])
def test_what_is_no_key_is_refused_with_what_one_is(text, tmp_path):
    with pytest.raises(DataKeyError, match="a data key is 32 bytes, in base64"):
        read_data_keys(text)
    with pytest.raises(SettingsError, match="data_keys: a data key is 32 bytes"):
        load_settings(mode="dev", data_dir=tmp_path, data_keys=text or ",").sealing_keys()


def test_both_alphabets_are_read():
    key = bytes([251, 239, 190] * 10 + [255, 255])
    for write in (base64.b64encode, base64.urlsafe_b64encode):
        assert (
            read_data_keys(write(key).decode()).open(DataKeys([key]).seal(b"x", "a"), "a") == b"x"
        )
