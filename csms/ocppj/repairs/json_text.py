"""Reads text that is nearly JSON, as broken firmware writes it, and names what was wrong.

Runs only after the strict decoder has refused the text. One pass, no backtracking, bounded in depth
and length; whatever comes, it returns a value or raises `Unmendable`. A value that the end of the
text has cut is never taken: half a meter reading is a wrong meter reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from csms.ocppj.repairs import catalogue as names

LONGEST = 65_536
"""Longer texts are not mended: a character costs some tenths of a microsecond."""

_DEEPEST = 24
_LONGEST_LEADING = 16

_SPACE = re.compile(r"[ \t\r\n\ufeff\x00\u00a0]*")
_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]+'), "'": re.compile(r"[^'\\\x00-\x1f]+")}
# a quote ends its text where a delimiter, the end, or the next name follows
_ENDS = {
    '"': re.compile(r'[ \t\r\n\x00]*(?:[,:}\]{\[]|$|"[^"]{0,64}"[ \t\r\n]*:)'),
    "'": re.compile(r"[ \t\r\n\x00]*(?:[,:}\]{\[]|$|'[^']{0,64}'[ \t\r\n]*:)"),
}
_WORD = re.compile(r"[^,{}\[\]\"']+")
_NAME = re.compile(r"[^,:{}\[\]\"']+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ODD_NUMBER = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"'}
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_UNOPENED = re.compile(r"[ \t\r\n]*[234][ \t]*,")
_WORDS: dict[str, Any] = {
    "true": True,
    "false": False,
    "null": None,
    "none": None,
    "nil": None,
    "undefined": None,
    "nan": "NaN",
    "infinity": "Infinity",
    "-infinity": "-Infinity",
    "inf": "Infinity",
    "-inf": "-Infinity",
}
_EXACT = ("true", "false", "null")
_LONGEST_NUMBER = 24
_WIDEST = 2**63


class Unmendable(Exception):
    """The text cannot be read; never leaves `csms.ocppj.repairs`."""


class _Cut(Exception):
    """The text ends inside a value."""


def mend(text: str) -> tuple[list[Any], tuple[str, ...]]:
    """Return the array that a text means, and the names of the repairs in their order.

    Raises:
        Unmendable: It is too long, too deep, or no array in any reading.

    >>> mend('[3,"1",{"configurationKey":[]')
    ([3, '1', {'configurationKey': []}], ('json_unclosed',))
    """
    if len(text) > LONGEST:
        raise Unmendable
    return _Reader(text).frame()


class _Reader:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._names: dict[str, None] = {}

    def frame(self) -> tuple[list[Any], tuple[str, ...]]:
        start = self._text.find("[", 0, _LONGEST_LEADING)
        if _UNOPENED.match(self._text):
            self._note(names.JSON_UNCLOSED)
            self._text, start = f"[{self._text}", 0
        if start < 0:
            raise Unmendable
        if self._text[:start].strip():
            self._note(names.JSON_AROUND)
        self._at = start
        found = self._list(0)
        if self._text[self._at :].strip():
            self._note(names.JSON_AROUND)
        return found, tuple(self._names)

    def _note(self, name: str) -> None:
        self._names[name] = None

    def _next(self) -> str:
        """Return the next character that is no space; empty at the end."""
        found = _SPACE.match(self._text, self._at)
        if found is not None:
            if "\0" in found[0] or "\ufeff" in found[0] or "\u00a0" in found[0]:
                self._note(names.JSON_AROUND)
            self._at = found.end()
        return self._text[self._at : self._at + 1]

    def _list(self, depth: int) -> list[Any]:
        found: list[Any] = []

        def read(char: str) -> None:
            if char == ":":
                raise Unmendable
            found.append(self._value(char, depth))

        self._members("]", "}", read, depth)
        return found

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def read(char: str) -> None:
            name = self._name(char)
            found[name] = self._named_value(depth)

        self._members("}", "]", read, depth)
        return found

    def _members(self, end: str, foreign: str, read: Callable[[str], None], depth: int) -> None:
        """Read what stands between two brackets, with whatever commas there are.

        Args:
            end: The bracket that closes it.
            foreign: The one that closes what is around it, and so this too.
            read: Reads one member, which begins with the character it is given.
            depth: Of the brackets.
        """
        if depth > _DEEPEST:
            raise Unmendable
        self._at += 1
        wanted, count = True, 0  # a member must come: at the start, and after a comma
        while True:
            char = self._next()
            if char == end:
                self._at += 1
                if wanted and count:
                    self._note(names.JSON_COMMA)
                return
            if char in ("", foreign):
                self._note(names.JSON_UNCLOSED)
                return
            if char == ",":
                self._at += 1
                if wanted:
                    self._note(names.JSON_COMMA)
                wanted = True
                continue
            if not wanted:
                self._note(names.JSON_COMMA)
            try:
                read(char)
            except _Cut:
                self._note(names.JSON_UNCLOSED)
                return
            wanted, count = False, count + 1

    def _name(self, char: str) -> str:
        if char in ('"', "'"):
            return self._string(char)
        word = _NAME.match(self._text, self._at)
        if word is None:
            raise Unmendable
        self._at = word.end()
        self._note(names.JSON_BARE_WORD)
        return _bare(word[0])

    def _named_value(self, depth: int) -> Any:
        char = self._next()
        if char == "":
            raise _Cut
        if char == ":":
            self._at += 1
            char = self._next()
        elif char not in (",", "}"):
            raise Unmendable
        if char == "":
            raise _Cut
        if char in (",", "}", "]"):
            self._note(names.JSON_MISSING_VALUE)
            return None
        return self._value(char, depth)

    def _value(self, char: str, depth: int) -> Any:
        if char == "{":
            return self._object(depth + 1)
        if char == "[":
            return self._list(depth + 1)
        if char in ('"', "'"):
            return self._string(char)
        word = _WORD.match(self._text, self._at)
        if word is None:
            raise Unmendable
        self._at = word.end()
        if self._at == len(self._text):
            raise _Cut  # nobody knows whether it would have gone on
        return self._word(_bare(word[0]))

    def _word(self, word: str) -> Any:
        if _NUMBER.fullmatch(word):
            return _number(word)
        if word in _EXACT:
            return _WORDS[word]
        if word.lower() in _WORDS:
            self._note(names.JSON_LITERAL)
            return _WORDS[word.lower()]
        odd = _ODD_NUMBER.fullmatch(word)
        if odd is not None and (odd[2] or odd[3] or "0" in word):
            self._note(names.JSON_NUMBER)
            sign = "-" if odd[1] == "-" else ""
            return _number(f"{sign}{odd[2] or '0'}" + (f".{odd[3]}" if odd[3] else ""))
        self._note(names.JSON_BARE_WORD)
        return word

    def _string(self, quote: str) -> str:
        if quote == "'":
            self._note(names.JSON_QUOTES)
        text, plain, ends = self._text, _PLAIN[quote], _ENDS[quote]
        self._at += 1
        parts: list[str] = []
        while True:
            run = plain.match(text, self._at)
            if run is not None:
                parts.append(run[0])
                self._at = run.end()
            char = text[self._at : self._at + 1]
            if char == "":
                raise _Cut
            self._at += 1
            if char == quote:
                if ends.match(text, self._at):
                    return "".join(parts)
                self._note(names.JSON_INNER_QUOTES)
                parts.append(char)
            elif char == "\\":
                parts.append(self._escape())
            else:
                self._note(names.JSON_CONTROL_CHARACTER)
                if char != "\0":
                    parts.append(char)

    def _escape(self) -> str:
        char = self._text[self._at : self._at + 1]
        if char == "":
            raise _Cut
        self._at += 1
        if char in _ESCAPED:
            return _ESCAPED[char]
        if char == "u":
            digits = _HEX.match(self._text, self._at)
            if digits is not None:
                self._at += 4
                return self._code_point(int(digits[0], 16))
        self._note(names.JSON_ESCAPE)
        return "'" if char == "'" else f"\\{char}"

    def _code_point(self, number: int) -> str:
        if not 0xD800 <= number < 0xE000:
            return chr(number)
        low = self._text[self._at : self._at + 2] == "\\u" and _HEX.match(self._text, self._at + 2)
        if low and number < 0xDC00 and 0xDC00 <= int(low[0], 16) < 0xE000:
            self._at += 6
            return chr(0x10000 + ((number - 0xD800) << 10) + int(low[0], 16) - 0xDC00)
        self._note(names.JSON_ESCAPE)
        return "\N{REPLACEMENT CHARACTER}"


def _bare(word: str) -> str:
    """Return a word without what is no part of one."""
    return "".join(char for char in word if char >= " ").strip()


def _number(word: str) -> int | float:
    if len(word) > _LONGEST_NUMBER:
        raise Unmendable
    if word.lstrip("-").isdecimal() and -_WIDEST <= int(word) < 2 * _WIDEST:
        return int(word)  # wider ones are floats, as for the strict decoder
    number = float(word)
    if number in (float("inf"), float("-inf")):
        raise Unmendable
    return number
