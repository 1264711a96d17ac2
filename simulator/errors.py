"""The simulator's errors.

Tree::

    SimulatorError
    ├── CallFailed            a call to the central system brought no result
    │   ├── NoAnswer          offline, connection lost, or no answer in time
    │   └── CallRefused       CALLERROR, or an answer that breaks the schema
    ├── OddityError           an unknown quirk or fault, or an unknown parameter of one
    ├── PlugError             the emulator could not plug a vehicle in; what HTTP answers
    ├── FleetError            a fleet file that cannot be used; one text a fault
    ├── BundleError           a message-log bundle that cannot be used
    ├── ReplayError           a bundle that cannot be played now; what HTTP answers
    ├── VerifyError           ledger and central system cannot be compared
    ├── ListenError           an address that the simulator's own pages cannot have
    ├── StateError            what charge points keep cannot be read or written
    └── RegistrationError     the central system's API did not create a station or id tag
"""


class SimulatorError(Exception):
    """Any failure that the simulator names."""


class CallFailed(SimulatorError):
    """A call to the central system brought no result."""


class NoAnswer(CallFailed):
    """The call may or may not have arrived: offline, connection lost, or no answer in time."""


class CallRefused(CallFailed):
    """The central system answered with CALLERROR, or with a payload that breaks the schema."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


class FleetError(SimulatorError):
    """A fleet description that cannot be used."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class BundleError(SimulatorError):
    """A message-log bundle that cannot be used."""


class ReplayError(SimulatorError):
    """A bundle cannot be played now; carries what HTTP answers."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class VerifyError(SimulatorError):
    """Ledger and central system cannot be compared: a file or the API is of no use."""


class ListenError(SimulatorError):
    """The simulator cannot listen on the address that it was told."""


class StateError(SimulatorError):
    """What charge points keep without power cannot be read or written."""


class RegistrationError(SimulatorError):
    """The central system's API did not take a station or an id tag."""


class PlugError(SimulatorError):
    """The emulator could not plug a vehicle in.

    Attributes:
        status: the HTTP status that says so.
        code: a stable word for the case.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class OddityError(SimulatorError, ValueError):
    """There is no such quirk or fault, or it has no such parameter."""
