"""What a resource declares of each of its operations, and what a handler may answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from csms.services.access import Role

B = TypeVar("B")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Generic[B]):
    """An answer whose status or headers differ from the route's."""

    body: B
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation.

    The handler's signature says what it takes: parameters named in the path, `body` (a model or
    `JsonObject`), `query` (a model), `principal` and `request`; its return type is the answer.

    Attributes:
        role: Who may call it; None: anybody, known or not.
        refusals: HTTP status -> when the operation answers it, for the documentation.
        also: Other successful statuses -> type of their body, for the documentation.
        takes_bytes: Whether the body is a file, raw or in a form; for the documentation.
        takes_csv: Whether the body is a list as CSV; for the documentation.
        idempotent: Whether an `Idempotency-Key` is taken.
    """

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    role: Role | None
    tag: str
    status: int = 200
    refusals: Mapping[int, str] = field(default_factory=dict)
    also: Mapping[int, Any] = field(default_factory=dict)
    takes_bytes: bool = False
    takes_csv: bool = False
    idempotent: bool = False


class Resource(Protocol):
    """A group of operations on one noun."""

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        ...
