"""An open OCPP 1.6J central system: charge points connect, charge, are recorded and share power."""

__version__ = "0.1.0"
