"""Keys that names, booking references and messages are sealed with at rest: AES-256-GCM.

A sealed value says which key it was sealed with, so a new key can be brought in beside the old one
and everything sealed anew while the hub runs (`aerocast-hub privacy rotate-keys`). What has to be
found again without being opened is kept beside it as a keyed hash, which is of no use without the
key.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aerocast_hub.whole_file import write_whole

KEY_BYTES = 32
FILE = "data.keys"
_FORM = b"\x01"
_EITHER = str.maketrans("+/", "-_")  # both alphabets of RFC 4648
_ID_BYTES = 4
_NONCE_BYTES = 12
_HEAD = len(_FORM) + _ID_BYTES + _NONCE_BYTES


class DataKeyError(Exception):
    """A key is none, or what was sealed does not open with the keys there are."""


class _Key:
    def __init__(self, master: bytes) -> None:
        self.master = master
        self.id = hashlib.sha256(b"aerocast data key id" + master).digest()[:_ID_BYTES]
        self.cipher = AESGCM(_derived(master, b"aerocast data seal 1"))
        self.index_key = _derived(master, b"aerocast data index 1")


class DataKeys:
    """Seals and opens; knows several keys, seals with the first.

    Parameters
    ----------
    masters
        32 bytes each, the newest first.
    file
        Where they are kept; looked at again when something was sealed with a key not yet known.
    """

    def __init__(self, masters: Sequence[bytes], file: Path | None = None) -> None:
        if not masters or any(len(each) != KEY_BYTES for each in masters):
            raise DataKeyError(f"a data key is {KEY_BYTES} bytes, in base64")
        self._file = file
        self._keys = [_Key(each) for each in masters]
        self._dummies: dict[str, bytes] = {}

    def seal(self, plain: bytes, about: str) -> bytes:
        """Seal with the newest key; it opens only as ``about`` (its table and column)."""
        key, nonce = self._keys[0], secrets.token_bytes(_NONCE_BYTES)
        return _FORM + key.id + nonce + key.cipher.encrypt(nonce, plain, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """Open what was sealed.

        Raises
        ------
        DataKeyError
            No key fits, or it was changed.
        """
        key = self._named(sealed[1 : 1 + _ID_BYTES])
        if key is None or sealed[:1] != _FORM:
            raise DataKeyError(f"{about} was sealed with a key this hub does not have")
        nonce = sealed[_HEAD - _NONCE_BYTES : _HEAD]
        try:
            return key.cipher.decrypt(nonce, sealed[_HEAD:], about.encode())
        except InvalidTag as error:
            raise DataKeyError(f"{about} does not open: it was changed") from error

    def dummy(self, about: str) -> bytes:
        """Give something sealed that is nobody's: opening it costs what opening a name does."""
        if about not in self._dummies:
            self._dummies[about] = self.seal(secrets.token_hex(5).encode(), about)
        return self._dummies[about]

    def index(self, text: str, about: str) -> bytes:
        """Give the keyed hash a value is found by."""
        return _index(self._keys[0], text, about)

    def indexes(self, text: str, about: str) -> list[bytes]:
        """Give the keyed hashes a value may be kept under, whichever key made them."""
        return [_index(each, text, about) for each in self._keys]

    def is_newest(self, sealed: bytes) -> bool:
        """Say whether something was sealed with the newest key."""
        return sealed[1 : 1 + _ID_BYTES] == self._keys[0].id

    @property
    def is_in_file(self) -> bool:
        """Say whether the keys are kept in a file the hub may change."""
        return self._file is not None

    @property
    def count(self) -> int:
        """How many keys there are."""
        return len(self._keys)

    def add_new(self) -> None:
        """Make a new key, to seal with from now on, and keep it in the file.

        Raises
        ------
        DataKeyError
            The keys come from a setting: put the new one first there.
        """
        self._write([secrets.token_bytes(KEY_BYTES), *(each.master for each in self._keys)])

    def drop_old(self) -> None:
        """Forget all keys but the newest, in the file too.

        Raises
        ------
        DataKeyError
            The keys come from a setting: take them out there.
        """
        self._write([self._keys[0].master])

    def _write(self, masters: list[bytes]) -> None:
        if self._file is None:
            raise DataKeyError("the data keys come from DATA_KEYS: change them there, newest first")
        write_whole(self._file, "".join(f"{_written(each)}\n" for each in masters).encode())
        self._keys = [_Key(each) for each in masters]

    def _named(self, key_id: bytes) -> _Key | None:
        found = next((each for each in self._keys if each.id == key_id), None)
        if found is None and self._file is not None:
            self._keys = [_Key(each) for each in _read_file(self._file)]
            found = next((each for each in self._keys if each.id == key_id), None)
        return found


def read_data_keys(text: str) -> DataKeys:
    """Read keys as a setting has them: base64, commas between, the newest first.

    Raises
    ------
    DataKeyError
        One is none.
    """
    return DataKeys([_read(each) for each in text.split(",")])


def data_keys_in(folder: Path) -> DataKeys:
    """Open the keys in the hub's data folder, making the first one when there is none.

    Raises
    ------
    DataKeyError
        The file holds no keys.
    """
    path = folder / FILE
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        made = _written(secrets.token_bytes(KEY_BYTES))
        write_whole(path, f"{made}\n".encode(), is_new=True)
    return DataKeys(_read_file(path), path)


def _read_file(path: Path) -> list[bytes]:
    keys = [_read(each) for each in path.read_text().split()]
    if not keys:
        raise DataKeyError(f"{path} holds no data key")
    return keys


def _read(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip().translate(_EITHER), b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataKeyError(f"a data key is {KEY_BYTES} bytes, in base64") from error


def _written(master: bytes) -> str:
    return base64.urlsafe_b64encode(master).decode()


def _derived(master: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(master)


def _index(key: _Key, text: str, about: str) -> bytes:
    return hmac.digest(key.index_key, f"{about}\x00{text}".encode(), "sha256")[:16]
