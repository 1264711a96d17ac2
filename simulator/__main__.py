"""Entry point of ``python -m simulator`` and ``csms-simulator``."""

from simulator.cli import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
