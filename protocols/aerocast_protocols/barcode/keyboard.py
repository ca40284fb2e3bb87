"""Read what a scanner types that passes itself off as a keyboard (USB HID).

In: the kernel's input events, Linux ``struct input_event`` (linux/input.h, codes of
linux/input-event-codes.h). Out: texts, each ended by Enter or Tab. Which character a key stands
for depends on the country the scanner is set to.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from aerocast_protocols.barcode.framing import LONGEST_SCAN
from aerocast_protocols.errors import ProtocolError

Layout = Literal["us", "gb", "fr", "de"]

INPUT_EVENT = struct.Struct("@llHHi")  # seconds, microseconds, type, code, value
# A scanner types a code within a fraction of a second: what was begun so long before a key is
# somebody's finger on it, or a code that was cut short.
LONGEST_PAUSE_US = 1_000_000

_EV_SYN, _EV_KEY = 0, 1
_SYN_DROPPED = 3
_PRESSED = 1
_ENDS = frozenset({15, 28, 96})  # KEY_TAB, KEY_ENTER, KEY_KPENTER
_SHIFTS, _CONTROLS = frozenset({42, 54}), frozenset({29, 97})
_ALT, _ALT_GR, _CAPS_LOCK = 56, 100, 58
_KEYPAD = {82: "0", 79: "1", 80: "2", 81: "3", 75: "4", 76: "5", 77: "6", 71: "7", 72: "8", 73: "9"}
_KEYPAD_SIGNS = {55: "*", 74: "-", 78: "+", 83: ".", 98: "/"}
# KEY_1 to KEY_EQUAL, KEY_Q to KEY_RIGHTBRACE, KEY_A to KEY_GRAVE, KEY_BACKSLASH, KEY_Z to
# KEY_SLASH, KEY_102ND
_KEYS = (*range(2, 14), *range(16, 28), *range(30, 42), 43, *range(44, 54), 86)


class _Layout(NamedTuple):
    plain: Mapping[int, str]
    shifted: Mapping[int, str]
    alt_gr: Mapping[int, str]


def _layout(plain: str, shifted: str, alt_gr: Mapping[int, str]) -> _Layout:
    always = {57: " "} | _KEYPAD | _KEYPAD_SIGNS
    return _Layout(
        dict(zip(_KEYS, plain, strict=True)) | always,
        dict(zip(_KEYS, shifted, strict=True)) | always,
        alt_gr,
    )


_LAYOUTS: dict[Layout, _Layout] = {
    "us": _layout(
        "1234567890-=qwertyuiop[]asdfghjkl;'`\\zxcvbnm,./<",
        '!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"~|ZXCVBNM<>?>',
        {},
    ),
    "gb": _layout(
        "1234567890-=qwertyuiop[]asdfghjkl;'`#zxcvbnm,./\\",
        '!"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@¬~ZXCVBNM<>?|',
        {5: "€"},
    ),
    "fr": _layout(
        "&é\"'(-è_çà)=azertyuiop^$qsdfghjklmù²*wxcvbn,;:!<",
        "1234567890°+AZERTYUIOP¨£QSDFGHJKLM%²µWXCVBN?./§>",
        {3: "~", 4: "#", 5: "{", 6: "[", 7: "|", 8: "`", 9: "\\", 10: "^", 11: "@", 12: "]"}
        | {13: "}", 18: "€"},
    ),
    "de": _layout(
        "1234567890ß\u00b4qwertzuiopü+asdfghjklöä^#yxcvbnm,.-<",
        "!\"§$%&/()=?`QWERTZUIOPÜ*ASDFGHJKLÖÄ°'YXCVBNM;:_>",
        {3: "²", 4: "³", 8: "{", 9: "[", 10: "]", 11: "}", 12: "\\", 16: "@", 18: "€", 27: "~"}
        | {86: "|"},
    ),
}


class KeyBuffer:
    """Collects input events as they arrive and gives out whole texts.

    No device, no clock: feed it from anywhere, in pieces of any size. Empty texts are passed over.

    Parameters
    ----------
    layout
        The country the scanner is set to.

    Attributes
    ----------
    abandoned
        Texts so far that were cut short by a pause, or that the kernel lost a part of.
    """

    def __init__(self, layout: Layout = "us") -> None:
        self._layout = _LAYOUTS[layout]
        self._received = bytearray()
        self._text = ""
        self._held: set[int] = set()
        self._capitals = False
        self._code = ""  # digits typed on the keypad while Alt is held
        self._damaged = False
        self._typed_us = 0
        self.abandoned = 0

    def feed(self, received: bytes) -> None:
        """Add bytes read from the device."""
        self._received += received

    def scans(self) -> Iterator[str]:
        """Give out every text typed whole, oldest first.

        Raises
        ------
        ProtocolError
            No text ended within ``LONGEST_SCAN`` characters: the scanner ends none. What was typed
            is thrown away.
        """
        while len(self._received) >= INPUT_EVENT.size:
            event = bytes(self._received[: INPUT_EVENT.size])
            del self._received[: INPUT_EVENT.size]
            seconds, microseconds, kind, code, value = INPUT_EVENT.unpack(event)
            if kind == _EV_SYN and code == _SYN_DROPPED:
                self._damaged = True
                self._held.clear()
            elif kind == _EV_KEY:
                ended = self._key(code, value, seconds * 1_000_000 + microseconds)
                if ended:
                    yield ended

    def _key(self, code: int, value: int, at_us: int) -> str:
        """Take a key; give the text it ended, if any."""
        if value == 0:
            self._held.discard(code)
            return self._typed(self._alt_code()) if code == _ALT else ""
        if value != _PRESSED:  # held down so long that it repeats: no scanner does that
            return ""
        self._held.add(code)
        if self._text and not 0 <= at_us - self._typed_us <= LONGEST_PAUSE_US:
            self._abandon()
        self._typed_us = at_us
        if code in _ENDS:
            return self._end()
        if code == _CAPS_LOCK:
            self._capitals = not self._capitals
        elif _ALT in self._held and code in _KEYPAD:
            self._code += _KEYPAD[code]
        else:
            return self._typed(self._character(code))
        return ""

    def _character(self, code: int) -> str:
        if _ALT_GR in self._held:
            return self._layout.alt_gr.get(code, "")
        plain = self._layout.plain.get(code, "")
        if self._held & _CONTROLS:
            return chr(ord(plain.upper()) & 0x1F) if plain and plain.upper() <= "_" else ""
        shifted = bool(self._held & _SHIFTS)
        if self._capitals and plain.isalpha():
            shifted = not shifted
        return self._layout.shifted.get(code, "") if shifted else plain

    def _alt_code(self) -> str:
        code, self._code = self._code[:4], ""
        return chr(int(code) & 0xFF) if code else ""

    def _typed(self, character: str) -> str:
        if character in {"\r", "\n"}:
            return self._end()
        self._text += character
        if len(self._text) > LONGEST_SCAN:
            self._text = ""
            raise ProtocolError(f"scanner typed {LONGEST_SCAN} characters and no end of text")
        return ""

    def _end(self) -> str:
        if self._damaged:
            self._damaged = False
            self._abandon()
        text, self._text = self._text, ""
        return text

    def _abandon(self) -> None:
        self.abandoned += 1
        self._text = ""


def encode_typed(text: str, layout: Layout = "us", at_us: int = 0) -> bytes:
    """Write the events of a scanner that types a text and Enter, a key each millisecond.

    Raises
    ------
    ValueError
        The layout has no key for a character.
    """
    events = b""
    for character in text:
        codes = _codes(character, layout)
        events += _pressed(codes, at_us) + _released(reversed(codes), at_us)
        at_us += 1000
    return events + _pressed([28], at_us) + _released([28], at_us)


def _codes(character: str, layout: Layout) -> list[int]:
    """Give the keys to press for a character, in order."""
    keys = _LAYOUTS[layout]
    for modifiers, characters in (
        ([], keys.plain),
        ([42], keys.shifted),
        ([_ALT_GR], keys.alt_gr),
    ):
        for code, each in characters.items():
            if each == character:
                return [*modifiers, code]
    raise ValueError(f"layout {layout} has no key for {character!r}")


def _pressed(codes: Iterable[int], at_us: int) -> bytes:
    return b"".join(_event(at_us, _EV_KEY, code, _PRESSED) for code in codes)


def _released(codes: Iterable[int], at_us: int) -> bytes:
    keys = b"".join(_event(at_us, _EV_KEY, code, 0) for code in codes)
    return keys + _event(at_us, _EV_SYN, 0, 0)


def _event(at_us: int, kind: int, code: int, value: int) -> bytes:
    return INPUT_EVENT.pack(at_us // 1_000_000, at_us % 1_000_000, kind, code, value)
