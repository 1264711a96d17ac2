"""What alembic runs: with a connection of `csms.store.migrate`, or for a developer's command line.

A developer makes a revision with
``alembic -x url=postgresql://user:password@host/database revision --autogenerate -m "what"``.
"""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection

from csms.store.database import new_engine
from csms.store.migrate import compare_options


def run(connection: Connection) -> None:
    """Run the migrations, a transaction each; those of a restore all in the one that is open."""
    options = compare_options(connection)
    if not context.config.attributes.get("one_transaction"):
        connection.commit()  # alembic begins and ends the transactions
    context.configure(connection=connection, transaction_per_migration=True, **options)
    with context.begin_transaction():
        context.run_migrations()


async def run_for_developer() -> None:
    """Connect to the address of ``-x url=``."""
    url = context.get_x_argument(as_dictionary=True)["url"]
    engine = new_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_for_developer())
