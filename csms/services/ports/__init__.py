"""What services need of the drivers, as Protocols; the drivers are wired in `csms.app`."""
