"""Say on which line of a TOML text each key stands, which the standard library's reader does not.

TOML v1.0.0. The text has been read by ``tomllib`` before, so it is known to be well formed; this
scan follows keys and skips values, nothing more.
"""

import re

Path = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\])*"'),
    re.compile(r"'[^']*'"),
)


def find_lines(text: str) -> dict[Path, int]:
    """Give the line, from 1, of every key and table; arrays of tables are indexed from 0.

    ``("device", 1, "port")`` is key ``port`` of the second ``[[device]]``.
    """
    scan = _Scan(text)
    scan.run()
    return scan.lines


class _Scan:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._counts: dict[Path, int] = {}

    def run(self) -> None:
        table: Path = ()
        while True:
            self._skip_space()
            if self._at >= len(self._text):
                return
            if self._text.startswith("[", self._at):
                table = self._table()
            else:
                self._pair(table)

    def _table(self) -> Path:
        of_array = self._text.startswith("[[", self._at)
        self._at += 2 if of_array else 1
        line = self._line()
        path: Path = ()
        keys = self._keys()
        for number, key in enumerate(keys):
            path += (key,)
            if of_array and number == len(keys) - 1:
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path += (self._counts[path],)
        self.lines[path] = line
        self._at += 2 if of_array else 1
        return path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for key in self._keys():
            path += (key,)
            self.lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip_space()
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._elements(path)
        elif opening == "{":
            self._inline_table(path)
        elif opening in {'"', "'"}:
            self._string()
        else:
            scalar = _SCALAR.match(self._text, self._at)
            self._at = scalar.end() if scalar else len(self._text)

    def _elements(self, path: Path) -> None:
        self._at += 1
        number = 0
        while not self._closes("]"):
            self.lines[(*path, number)] = self._line()
            self._value((*path, number))
            number += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while not self._closes("}"):
            self._pair(path)

    def _closes(self, bracket: str) -> bool:
        self._skip_space()
        if self._text.startswith(",", self._at):
            self._at += 1
            self._skip_space()
        if self._at >= len(self._text) or self._text.startswith(bracket, self._at):
            self._at += 1
            return True
        return False

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip_space()
            bare = _BARE_KEY.match(self._text, self._at)
            if bare:
                self._at = bare.end()
                keys.append(bare.group())
            else:
                keys.append(self._string()[1:-1])
            self._skip_space()
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _string(self) -> str:
        for form in _STRINGS:
            found = form.match(self._text, self._at)
            if found:
                self._at = found.end()
                return found.group()
        self._at = len(self._text)  # not well formed: stop here
        return ""

    def _skip_space(self) -> None:
        space = _SPACE.match(self._text, self._at)
        if space:
            self._at = space.end()

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1
