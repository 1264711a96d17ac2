"""How a charge point wants its limits told: the part of its dialect that limits need.

Defaults hold for whoever keeps to OCPP 1.6; what is known to differ comes from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from csms.domain.charging_profiles import ProfileKind, ProfilePurpose, RateUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitDialect:
    """Traits that matter for limits.

    Attributes:
        rate_unit: Overrides what current type and asset data say.
        stack_level: Of profiles of a transaction; fallbacks stand at 0.
        kind: RELATIVE has no start and no end of its own: it takes no leases.
        purposes: Profiles that it takes.
        allowed_a: The only currents that it takes, rising; others are cut down to these.
        falls_back: When a limit ends it falls back to its default profile, as it should; then
            limits are leases.
        zero_means_stop: A limit of 0 ends the transaction, so 6 A are told instead of 0 where
            there is room, and nothing where there is none.
    """

    rate_unit: RateUnit | None = None
    stack_level: int = 0
    kind: ProfileKind = ProfileKind.ABSOLUTE
    purposes: frozenset[ProfilePurpose] = frozenset({ProfilePurpose.TX_DEFAULT, ProfilePurpose.TX})
    allowed_a: tuple[Decimal, ...] = ()
    falls_back: bool = True
    zero_means_stop: bool = False

    @property
    def takes_leases(self) -> bool:
        """Whether a limit can be told with an end."""
        return self.falls_back and self.kind is ProfileKind.ABSOLUTE

    def current(self, wanted_a: Decimal) -> Decimal:
        """Return the highest current that it takes and that is not above the wanted one."""
        if not self.allowed_a or wanted_a <= 0:
            return wanted_a.quantize(Decimal("0.1"), rounding=ROUND_FLOOR)
        return max((each for each in self.allowed_a if each <= wanted_a), default=Decimal(0))


PLAIN = LimitDialect()
