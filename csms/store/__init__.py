"""Postgres: tables, unit of work, repositories, migrations and the embedded server."""
