"""Log lines: one JSON object an event, or readable lines on a terminal; personal data cut.

A call is ``log.info("constant message", name=value)``: the message says what happened and never
changes, so that it can be counted; all that varies stands in fields. Who it is about comes from
`about`. Lines of libraries that use `logging` take the same way.

Whatever a line holds passes `scrub`: secrets are masked, id tags cut to their last four
characters, control characters escaped (a charge point chooses some of these texts, and an operator
reads them on a terminal).
"""

from __future__ import annotations

import dataclasses
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "***"
_LONGEST_TEXT = 20_000
_DEEPEST = 8
_INT64 = 2**63

# Compared without case and punctuation: AuthorizationKey, authorization_key, X-Api-Key.
_SECRET_ENDINGS = (
    *("password", "passwd", "secret", "token", "apikey", "privatekey", "credentials"),
    *("authorizationkey", "authorization", "cookie"),
)
_ID_TAG_ENDINGS = ("idtag", "idtags", "idtagkey")

# Each starts at a literal and has bounded gaps: a charge point's text must not cost quadratic time.
# A value may lack its closing quote, because long texts are cut before.
_NAME = r"(?:password|passwd|secret|token|api[_-]?key|authorization[_-]?key)"
_GAP = r"\s{0,9}"
_QUOTED = r"\"[^\"]*(?:\"|$)"
_KEY_FIRST = rf"(\"AuthorizationKey\"{_GAP},{_GAP}\"value\"{_GAP}:{_GAP}){_QUOTED}"
_VALUE_FIRST = (
    rf"(\"value\"{_GAP}:{_GAP}){_QUOTED}({_GAP},{_GAP}\"key\"{_GAP}:{_GAP}\"AuthorizationKey)"
)
_HEADER = rf"(authorization['\"]?{_GAP}[:=]{_GAP}['\"]?(?:(?:basic|bearer){_GAP})?)[^\s'\"]+"
_ID_TAG = rf"(['\"](?:parent)?idtag['\"]{_GAP}:{_GAP}['\"])[^'\"]*?([^'\"]{{1,4}})(?=['\"])"
_IN_TEXT = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"(://)[^/\s@'\"]*@", rf"\1{MASK}@"),
        (rf"({_NAME}=)[^&\s'\"]+", rf"\1{MASK}"),
        (rf"({_NAME}['\"]{_GAP}:{_GAP})(?:{_QUOTED}|'[^']*(?:'|$))", rf'\1"{MASK}"'),
        (_HEADER, rf"\1{MASK}"),
        (_KEY_FIRST, rf'\1"{MASK}"'),
        (_VALUE_FIRST, rf'\1"{MASK}"\2'),
        (_ID_TAG, r"\1*\2"),
    )
)

# C0, DEL, C1, line separators, direction marks and lone surrogates, but tab and newline
_UNREADABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LINE_BREAKS = re.compile(r"[\t\n]")


def configure(level: str = "INFO", *, stream: TextIO | None = None) -> None:
    """Send all log lines to `stream` (standard error), from `level` upwards.

    A terminal gets readable lines, everything else JSON. Libraries get through from WARNING
    upwards, or from DEBUG if that is the level.

    Args:
        level: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        stream: Where to write.
    """
    out = stream if stream is not None else sys.stderr
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[*_PROCESSORS, *(_on_terminal() if out.isatty() else [_as_json])],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [*root.handlers]:
        if isinstance(handler, _FromLibraries):
            root.removeHandler(handler)
    root.addHandler(_FromLibraries())
    root.setLevel(number if number == logging.DEBUG else max(number, logging.WARNING))
    logging.captureWarnings(True)


@contextmanager
def about(
    *,
    charge_point: str | None = None,
    request: str | None = None,
    transaction: int | None = None,
) -> Iterator[None]:
    """Add these fields to every line that this task, and tasks it starts, log inside."""
    fields = {"charge_point": charge_point, "request": request, "transaction": transaction}
    given = {name: value for name, value in fields.items() if value is not None}
    with structlog.contextvars.bound_contextvars(**given):
        yield


def short_tag(id_tag: str) -> str:
    """Return an id tag as it may stand in a log.

    >>> short_tag("04A2B3C4D5")
    '*C4D5'
    >>> short_tag("C4D5")
    'C4D5'
    """
    return id_tag if len(id_tag) <= 4 else f"*{id_tag[-4:]}"


def scrub(value: object, name: str = "", depth: int = 0) -> Any:
    """Return `value` as it may stand in a log, made of what JSON knows.

    Args:
        value: Anything.
        name: The field's name, which decides about secrets and id tags.
        depth: How many containers are around it; below the eighth only a mark is left.
    """
    kind = _kind(name)
    if kind == "secret":
        return MASK if value else value  # whether there was one is worth knowing
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and not isinstance(value, Enum):
        return value if -_INT64 <= value < _INT64 else str(value)
    if depth > _DEEPEST:
        return "..."
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return _scrub_mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(item, name, depth + 1) for item in value]
    text = readable(_text(value))
    return short_tag(text) if kind == "id tag" else text


def readable(text: str, *, lines: bool = False) -> str:
    r"""Return `text` without secrets and with visible control characters.

    Args:
        text: As it came from anywhere.
        lines: Whether tabs and line breaks may stay, as in a traceback.

    >>> readable("postgresql://csms:pw@db/csms\x1b[2J")
    'postgresql://***@db/csms\\x1b[2J'
    """
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "..."
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    text = _UNREADABLE.sub(_escaped, text)
    return text if lines else _LINE_BREAKS.sub(_escaped, text)


def _scrub_mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    scrubbed = {readable(str(key)): scrub(item, str(key), depth + 1) for key, item in value.items()}
    # OCPP's configuration: {"key": "AuthorizationKey", "value": "the password"}
    if "value" in scrubbed and _kind(str(value.get("key", ""))) == "secret":
        scrubbed["value"] = MASK
    return scrubbed


def _kind(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if plain.endswith(_SECRET_ENDINGS):
        return "secret"
    return "id tag" if plain.endswith(_ID_TAG_ENDINGS) else ""


def _text(value: object) -> str:
    match value:
        case bytes() | bytearray():
            return bytes(value).decode(errors="backslashreplace")
        case Enum():
            return str(value.value)
        case _:
            return str(value)


def _escaped(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()


def _scrub_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    exception = event.pop("exception", None)
    scrubbed: EventDict = _scrub_mapping(event, 0)
    if exception is not None:
        scrubbed["exception"] = readable(str(exception), lines=True)
    return scrubbed


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    first = {name: event.pop(name) for name in ("at", "level", "event") if name in event}
    return orjson.dumps({**first, **event}).decode()


def _on_terminal() -> list[Processor]:
    # The default formatter of exceptions shows local variables, and with them secrets.
    return [
        structlog.dev.ConsoleRenderer(
            timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
        )
    ]


_PROCESSORS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    _scrub_event,
]


class _FromLibraries(logging.Handler):
    """Hands the records of `logging` to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            structlog.get_logger().log(
                record.levelno,
                "library",
                logger=record.name,
                message=record.getMessage(),
                **({"exc_info": record.exc_info} if record.exc_info else {}),
            )
        except (TypeError, ValueError):  # a library whose arguments do not fit its own format
            self.handleError(record)
