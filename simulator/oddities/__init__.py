"""Quirks of real charge points and faults of networks and hardware, each a switch by name."""
