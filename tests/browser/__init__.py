"""A real browser against the real server and the real simulator."""
