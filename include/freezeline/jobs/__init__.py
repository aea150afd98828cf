"""Use cases: wire adapters to the domain; the only thing DAGs and commands call."""
