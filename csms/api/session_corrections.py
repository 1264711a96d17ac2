"""Sessions ended or corrected by hand."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from csms.api.fields import In, When
from csms.api.routes import Route
from csms.api.sessions import SessionOut, session_number, session_out
from csms.services.access import Principal, Role
from csms.services.session_corrections import Correction, SessionCorrections

_Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
_Wh = Annotated[int, Field(ge=0, le=2**53)]


class CloseIn(In):
    """Why it is ended by hand; without `meterStopWh` it is not billed.

    `carIsGone`: somebody has looked at a station that is away and has charged until then.
    """

    reason: _Reason
    car_is_gone: bool = False
    meter_stop_wh: _Wh | None = None
    stopped_at: When | None = None


class CorrectIn(In):
    """Why it is corrected, and what."""

    reason: _Reason
    meter_start_wh: _Wh | None = None
    meter_stop_wh: _Wh | None = None
    stopped_at: When | None = None


class SessionHands:
    """The operations."""

    def __init__(self, corrections: SessionCorrections) -> None:
        self._corrections = corrections

    def routes(self) -> list[Route]:
        """Return all operations of this resource."""
        one = "/api/sessions/{session_id}"

        def route(method: str, path: str, handler: Any, conflict: str) -> Route:
            return Route(
                method=method,
                path=path,
                handler=handler,
                role=Role.OPERATOR,
                tag="sessions",
                refusals={404: "There is no such session.", 409: conflict},
            )

        return [
            route(
                "POST",
                f"{one}/close",
                self.close_session,
                "`session_completed`, `still_charging` (stop it instead), `may_still_charge`.",
            ),
            route("PATCH", one, self.correct_session, "`session_active`: it still runs."),
        ]

    async def close_session(
        self, session_id: str, body: CloseIn, principal: Principal
    ) -> SessionOut:
        """End a session that its charger will not end any more, with the reason.

        Without a meter value it is not billed, and the charger's own word counts if it comes late.
        """
        correction = Correction(
            reason=body.reason,
            car_is_gone=body.car_is_gone,
            meter_stop_wh=body.meter_stop_wh,
            stopped_at=body.stopped_at,
        )
        number = session_number(session_id)
        return session_out(await self._corrections.close(principal.name, number, correction))

    async def correct_session(
        self, session_id: str, body: CorrectIn, principal: Principal
    ) -> SessionOut:
        """Correct meter values or the end of a session that has ended; its cost follows."""
        correction = Correction(
            reason=body.reason,
            meter_start_wh=body.meter_start_wh,
            meter_stop_wh=body.meter_stop_wh,
            stopped_at=body.stopped_at,
        )
        number = session_number(session_id)
        return session_out(await self._corrections.correct(principal.name, number, correction))
