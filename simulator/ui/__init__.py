"""The control page: one HTML, one JavaScript and one CSS file."""
