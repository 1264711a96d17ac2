"""The energy meter: a register that never runs backwards and integrates power exactly.

Power is held constant between two advances, so the integral is a sum of whole W times whole ms:
integers, without rounding. The register shows whole Wh of it. Refuses negative power and negative
time.
"""

from dataclasses import dataclass

MS_PER_HOUR = 3_600_000


@dataclass(slots=True)
class Meter:
    """One connector's import register.

    Attributes:
        start_wh: what the register showed when it was installed.
        accumulated_wms: energy since then in W x ms.
    """

    start_wh: int = 0
    accumulated_wms: int = 0

    @property
    def register_wh(self) -> int:
        """The register's reading: whole Wh, floored."""
        return self.start_wh + self.accumulated_wms // MS_PER_HOUR

    def run(self, power_w: int, milliseconds: int) -> None:
        """Count ``power_w`` held for ``milliseconds``.

        Raises:
            ValueError: power or time is negative; the register would run backwards.
        """
        if power_w < 0 or milliseconds < 0:
            msg = f"a meter cannot count {power_w} W over {milliseconds} ms"
            raise ValueError(msg)
        self.accumulated_wms += power_w * milliseconds
