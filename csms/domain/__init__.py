"""Frozen data and pure functions: no asyncio, clock, SQL, logging or protocol package."""
