"""Drivers of the bus: hints in process, later between nodes."""
