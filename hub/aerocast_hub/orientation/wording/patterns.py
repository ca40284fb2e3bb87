"""What a message of the catalogues asks for: its gaps, and the forms it has for each.

Messages are ICU MessageFormat (unicode-org.github.io/icu/userguide/format_parse/messages), and of
it three kinds of gap: ``{name}``, ``{name, plural, one {...} other {...}}`` and
``{name, select, a {...} other {...}}``. ICU itself takes a misspelt form or a missing value without
a word; here both are errors. Pure.
"""

from typing import Literal

import msgspec

Kind = Literal["plain", "plural", "select"]

PLURAL_FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})
_QUOTE = "'"


class PatternError(ValueError):
    """A message cannot be read; says what, and where in it."""


class Gap(msgspec.Struct, frozen=True):
    """A gap of a message.

    Attributes
    ----------
    forms
        Of a plural: its categories, and numbers such as ``=0``; of a select: its words.
    """

    kind: Kind
    forms: frozenset[str] = frozenset()


def gaps_of(pattern: str) -> dict[str, Gap]:
    """Give the gaps of a message by name.

    Raises
    ------
    PatternError
        A brace is not closed, a form is unknown, ``other`` is missing, or a gap is used in two
        ways.
    """
    if _QUOTE in pattern:
        raise PatternError(f"{pattern!r} holds ', which quotes braces in ICU: write \u2019")
    reader = _Reader(pattern)
    reader.message(depth=0)
    return reader.gaps


class _Reader:
    """Reads a message from the left."""

    def __init__(self, pattern: str) -> None:
        self.gaps: dict[str, Gap] = {}
        self._pattern = pattern
        self._at = 0

    def message(self, depth: int) -> None:
        """Read text and gaps up to the end, or to the brace that closes a form."""
        while self._at < len(self._pattern):
            here = self._pattern[self._at]
            self._at += 1
            if here == "{":
                self._gap(depth)
            elif here == "}":
                if depth == 0:
                    raise self._wrong("a brace too many closes")
                return
        if depth:
            raise self._wrong("a brace is never closed")

    def _gap(self, depth: int) -> None:
        name = self._word(",}")
        if not name.isidentifier():
            raise self._wrong(f"{name!r} is no name of a gap")
        if self._took("}"):
            self._note(name, Gap("plain"))
            return
        self._take(",")
        kind = self._word(",")
        if kind == "plural":
            forms = self._forms(depth)
            unknown = sorted(each for each in forms - PLURAL_FORMS if each[:1] != "=")
            if unknown:
                raise self._wrong(f"{unknown[0]!r} is no plural form")
            self._note(name, Gap("plural", forms))
        elif kind == "select":
            self._note(name, Gap("select", self._forms(depth)))
        else:
            raise self._wrong(f"{kind!r} is no kind of gap: write plural or select")

    def _forms(self, depth: int) -> frozenset[str]:
        self._take(",")
        forms: set[str] = set()
        while not self._took("}"):
            form = self._word("{}")
            self._take("{")
            self.message(depth + 1)
            if not form or form in forms:
                raise self._wrong(f"the form {form!r} has no name, or stands twice")
            forms.add(form)
        if "other" not in forms:
            raise self._wrong("the form 'other' is missing")
        return frozenset(forms)

    def _note(self, name: str, gap: Gap) -> None:
        known = self.gaps.setdefault(name, gap)
        if known.kind == "plain":  # a number may be counted, and written out beside it
            self.gaps[name] = gap
        elif gap.kind != "plain" and known != gap:
            raise self._wrong(f"{name!r} has different forms in two places")

    def _word(self, ends: str) -> str:
        start = self._at
        while self._at < len(self._pattern) and self._pattern[self._at] not in ends:
            self._at += 1
        return self._pattern[start : self._at].strip()

    def _take(self, sign: str) -> None:
        if not self._took(sign):
            raise self._wrong(f"{sign!r} is missing")

    def _took(self, sign: str) -> bool:
        while self._pattern[self._at : self._at + 1].isspace():
            self._at += 1
        taken = self._pattern[self._at : self._at + 1] == sign
        self._at += taken
        return taken

    def _wrong(self, what: str) -> PatternError:
        return PatternError(f"{what} at character {self._at} of {self._pattern!r}")
