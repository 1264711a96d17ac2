"""Charge points, vehicles and fleets that speak OCPP 1.6J; independent of ``csms``."""

__version__ = "0.1.0"
