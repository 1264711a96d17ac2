"""The browser UI: its source, and the build that the operator API serves."""
