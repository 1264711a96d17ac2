"""The one tree of errors.

::

    CsmsError
    ├── SettingsError        wrong settings; `problems` lists all of them
    ├── StartError           the program cannot start; one sentence says why
    │   └── (drivers add their own, such as EmbeddedPostgresError)
    ├── DatabaseAway         Postgres cannot be reached now; try again, what was sent may be stored
    ├── BadFact              Postgres refuses the content of a batch; nothing was written
    ├── Refusal              a request that cannot be done; becomes problem+json in `csms.api`
    │   ├── NotFound         404
    │   ├── Conflict         409
    │   ├── Forbidden        403
    │   ├── Invalid          422; `fields` names what is wrong
    │   └── CallFailed       a call to a charge point without an answer (409, 502, 504)
    └── LeaseLost            another node has taken over; the loop stops

Expected refusals of the protocol (a blocked id tag, a rejected call) are values, not errors.
"""

from __future__ import annotations

from typing import ClassVar


class CsmsError(Exception):
    """Root of everything that this system raises on purpose."""


class SettingsError(CsmsError):
    """Settings are wrong.

    Attributes:
        problems: One readable line for each wrong setting.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class StartError(CsmsError):
    """The program cannot start; the message is one sentence for the operator."""


class DatabaseAway(CsmsError):
    """Postgres is away, starting, full or read-only.

    A commit whose answer was lost may have been done: whoever tries again must not do it twice.
    """


class BadFact(CsmsError):
    """Postgres refused the content of a statement; the transaction was rolled back."""


class LeaseLost(CsmsError):
    """The lease of a loop has gone to another node."""


class Refusal(CsmsError):
    """A request that cannot be done.

    Attributes:
        status: HTTP status that fits.
        code: Stable machine-readable code (snake case).
        detail: One sentence: what is wrong and what would be right.
        fields: Field path -> what is wrong with it.
    """

    status: int = 400

    def __init__(self, code: str, detail: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fields = fields or {}


class NotFound(Refusal):
    """The object does not exist."""

    status = 404


class Conflict(Refusal):
    """The object exists already, or its state does not allow the request."""

    status = 409


class Forbidden(Refusal):
    """The caller may not do this, or the system refuses it for safety."""

    status = 403


class Invalid(Refusal):
    """The request is understood and wrong in content."""

    status = 422


class CallFailed(Refusal):
    """A call to a charge point got no usable answer.

    `code` is one of `station_offline`, `queue_full` and `too_early` (409; it was not sent),
    `call_timeout` and `connection_lost` (504) and `invalid_response` (502).
    """

    _STATUS: ClassVar[dict[str, int]] = {
        "station_offline": 409,
        "queue_full": 409,
        "too_early": 409,
        "call_timeout": 504,
        "connection_lost": 504,
        "invalid_response": 502,
    }

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.status = self._STATUS[code]
