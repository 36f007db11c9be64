"""Use cases: running workflows, and the kinds of workflows that there are."""
