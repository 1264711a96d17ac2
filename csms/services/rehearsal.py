"""A use case done for trial: all of its checks, in a transaction that is not kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from csms.services.ports.store import UnitOfWork, UnitsOfWork


class _Undone(Exception):  # leaves the transaction
    """Never leaves this file."""


@asynccontextmanager
async def rehearsal(units: UnitsOfWork) -> AsyncIterator[UnitOfWork]:
    """Open a transaction that is undone at its end, whatever was written."""
    try:
        async with units() as unit:
            yield unit
            raise _Undone
    except _Undone:
        return
