"""The demo: the central system with a simulated fleet on three sites, shown in the terminal.

Stands beside the command line, above the composition root. It knows the simulator only as a
program that it starts; sites, stations and id tags are made through the services of operators.
"""

from csms.demo.play import play

__all__ = ["play"]
