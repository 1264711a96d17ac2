"""Finding out how a station wants its limits told."""

from __future__ import annotations

from typing import Self

from csms.api.dialects import TraitsOut
from csms.api.fields import Out
from csms.api.routes import Route
from csms.services.access import Principal, Role
from csms.services.probe import Probe, Probed


class TrialOut(Out):
    """One question to the station, and what came back."""

    what: str
    outcome: str
    status: str | None


class ProbedOut(Out):
    """All that was tried, in order, and what was learned; it holds for this firmware."""

    trials: list[TrialOut]
    learned: TraitsOut

    @classmethod
    def of(cls, probed: Probed) -> Self:
        """Return it as the contract spells it."""
        return cls(
            trials=[
                TrialOut(what=each.what, outcome=each.outcome, status=each.status)
                for each in probed.trials
            ],
            learned=TraitsOut(**probed.learned),
        )


class Probes:
    """The operation."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        return [
            Route(
                method="POST",
                path="/api/stations/{station_id}/probe",
                handler=self.probe_station,
                role=Role.OPERATOR,
                tag="dialects",
                refusals={
                    404: "There is no such station.",
                    409: "`station_offline`, or `no_fallback_share`: it has none yet.",
                },
            )
        ]

    async def probe_station(self, station_id: str, principal: Principal) -> ProbedOut:
        """Ask and try which units, kinds and purposes of profiles a station takes; keep it.

        Tried are its own fallback share and its maximum, so nothing changes that matters.
        """
        return ProbedOut.of(await self._probe.probe(principal.name, station_id))
