"""Learning the next id tag that is presented."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from csms.api.fields import In, Out, PreciseTime, Text
from csms.api.routes import Route
from csms.services.access import Role
from csms.services.tag_learning import TagLearning


class LearnIn(In):
    """Where, and how long to wait; without `stationId` anywhere."""

    station_id: Text | None = None
    wait_s: Annotated[float, Field(ge=0, le=60)] = 30


class KnownTagOut(Out):
    """A tag that came meanwhile and is known."""

    id_tag: str
    name: str | None
    status: str


class LearnedOut(Out):
    """The next unknown tag; null when none came in time. `known`: others that came meanwhile."""

    id_tag: str | None
    station_id: str | None
    connector_id: int | None
    at: PreciseTime | None
    known: list[KnownTagOut]


class TagLearnings:
    """The operation."""

    def __init__(self, learning: TagLearning) -> None:
        self._learning = learning

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="POST",
                path="/api/id-tags/learn",
                handler=self.learn_id_tag,
                role=Role.OPERATOR,
                tag="id tags",
                refusals={404: "There is no such station.", 409: "`too_many_learn`."},
            )
        ]

    async def learn_id_tag(self, body: LearnIn) -> LearnedOut:
        """Wait for the next id tag that is presented at a charger and is not known yet.

        Nothing is stored: add the tag if it is the one.
        """
        learned = await self._learning.learn(body.station_id, body.wait_s)
        found = learned.found
        return LearnedOut(
            id_tag=None if found is None else found.id_tag,
            station_id=None if found is None else found.identity,
            connector_id=None if found is None else found.connector_id,
            at=None if found is None else found.at,
            known=[
                KnownTagOut(id_tag=tag.id_tag, name=tag.name, status=tag.status)
                for tag in learned.known
            ],
        )
