"""Use cases over the domain and ports: one use case, one transaction, one function."""
