"""Drivers for other parties' systems."""
