"""How a charge point wants its limits told: the part of its dialect that limits need.

Defaults hold for whoever keeps to OCPP 1.6; what is known to differ comes from outside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from csms.domain.charging_profiles import ProfileKind, ProfilePurpose, RateUnit
from csms.domain.dialects import Traits
from csms.domain.sites import Charger

_USUAL = frozenset({ProfilePurpose.TX_DEFAULT, ProfilePurpose.TX})


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitDialect:
    """Traits that matter for limits.

    Attributes:
        rate_unit: Overrides what current type and asset data say.
        kind: RELATIVE has no start and no end of its own: it takes no leases.
        purposes: Profiles that it takes; a static cap is told only to those that name it.
        allowed_a: The only currents that it takes, rising; others are cut down to these.
        zero_means_stop: A limit of 0 ends the transaction: it is told 6 A instead, as long as the
            site's limits allow it.
        is_trying: It has refused limits as they were told, and other ways are left: its fallback
            share is told again soon, though it counts in full.
    """

    rate_unit: RateUnit | None = None
    kind: ProfileKind = ProfileKind.ABSOLUTE
    purposes: frozenset[ProfilePurpose] = _USUAL
    allowed_a: tuple[Decimal, ...] = ()
    zero_means_stop: bool = False
    is_trying: bool = False

    @property
    def takes_leases(self) -> bool:
        """Whether a limit can be told with an end, which the fallback share follows."""
        return self.kind is ProfileKind.ABSOLUTE and ProfilePurpose.TX_DEFAULT in self.purposes

    @property
    def tells_by_default(self) -> bool:
        """Whether sessions are told their limits as the TxDefaultProfile of their connector."""
        takes_default = ProfilePurpose.TX_DEFAULT in self.purposes
        return takes_default and ProfilePurpose.TX not in self.purposes


PLAIN = LimitDialect()


def limit_dialect(traits: Traits) -> LimitDialect:
    """Return what limits need of the traits of a charge point."""
    units, kinds = traits.rate_units, traits.profile_kinds
    watts_only = units is not None and RateUnit.AMPERES not in units
    relative = kinds is not None and ProfileKind.ABSOLUTE not in kinds
    purposes = traits.profile_purposes
    return LimitDialect(
        rate_unit=RateUnit.WATTS if watts_only else None,
        kind=ProfileKind.RELATIVE if relative else ProfileKind.ABSOLUTE,
        purposes=_USUAL if purposes is None else frozenset(purposes),
        allowed_a=traits.allowed_a or (),
        zero_means_stop=bool(traits.zero_means_stop),
    )


def spoken_to(charger: Charger, dialect: LimitDialect) -> Charger:
    """Return a charger with the units and currents that it takes."""
    if dialect.rate_unit is None and not dialect.allowed_a:
        return charger
    return replace(
        charger,
        rate_unit=dialect.rate_unit or charger.rate_unit,
        allowed_a=dialect.allowed_a,
    )
