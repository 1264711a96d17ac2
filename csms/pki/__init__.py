"""Certificates: the folder of the server's own ones, and the TLS contexts made of it."""
