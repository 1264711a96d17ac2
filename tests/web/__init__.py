"""The build of the browser UI."""
