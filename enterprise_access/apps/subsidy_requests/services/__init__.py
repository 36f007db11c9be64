"""Use cases of subsidy requests."""
