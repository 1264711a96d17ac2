"""The secret and the database belong together: a new secret is made for a new database alone.

Passwords of charge points and API keys are kept as digests keyed by it. Under another one none of
them fits any more, so a secret that was lost must be missed, not made anew without a word.
"""

from __future__ import annotations

from csms.data_folder import load_secret, restore_marker, secret_path
from csms.errors import StartError
from csms.settings import Settings
from csms.store import inspection
from csms.store.database import Database


async def secret_for(settings: Settings, url: str) -> bytes:
    """Return the secret of keyed hashes and cookies; made for a database that needs none yet.

    Args:
        settings: All of them.
        url: Of the database, at this version's revision.

    Raises:
        StartError: It cannot be read, or is not there though the database needs it.
        DatabaseAway: Only asked where there is no secret.
    """
    missing = await missing_secret(settings, url)
    if missing is not None:
        raise StartError(missing)
    return load_secret(settings)


async def missing_secret(settings: Settings, url: str) -> str | None:
    """Return a sentence where the secret is not there and the database needs it, else None.

    Raises:
        StartError, DatabaseAway: As `secret_for`.
    """
    path = secret_path(settings)
    if settings.secret_file is not None or path.exists() or restore_marker(settings).exists():
        return None
    database = Database(url, pool_size=1)
    try:
        if not await inspection.holds_digests(database):
            return None
    finally:
        await database.close()
    return (
        f"The database has passwords and API keys, but the secret that they need, {path}, is not"
        " there: copy it from where this database was served before, or restore a backup. If it is"
        " lost, name a file of 32 random characters by CSMS_SECRET_FILE: all of them need new ones"
        " then (`csms user reset` makes the first)."
    )
