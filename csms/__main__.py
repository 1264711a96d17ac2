"""``python -m csms`` and the ``csms`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from csms.cli import app  # a second or two; Ctrl-C meanwhile is no error to trace
    except KeyboardInterrupt:
        sys.exit(130)
    app()


if __name__ == "__main__":
    main()
