"""The settings this process runs with, without their secrets."""

from __future__ import annotations

from collections.abc import Sequence

from csms.api.fields import Out, Page
from csms.api.routes import Route
from csms.services.access import Role
from csms.services.shown_settings import ShownSetting


class SettingOut(Out):
    """A setting; `value` is a text as in the environment, null where nothing is set.

    `default`: what holds where nothing is set; null too where that depends on other things.
    Of a secret only is told whether it is set. They are changed in the environment of the process,
    and hold from its next start.
    """

    name: str
    value: str | None
    default: str | None
    is_set: bool
    secret: bool


class ShownSettings:
    """The operation."""

    def __init__(self, settings: Sequence[ShownSetting]) -> None:
        self._settings = settings

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="GET",
                path="/api/settings",
                handler=self.list_settings,
                role=Role.ADMIN,
                tag="administration",
            )
        ]

    async def list_settings(self) -> Page[SettingOut]:
        """Return all settings by name."""
        return Page[SettingOut](
            items=[
                SettingOut(
                    name=one.name,
                    value=one.value,
                    default=one.default,
                    is_set=one.is_set,
                    secret=one.is_secret,
                )
                for one in self._settings
            ]
        )
