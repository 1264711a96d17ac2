"""The OCPP-J edge: sockets of charge points, and nothing else knows websockets or ocpp."""
