"""What people and workers meet when a neighbour fails: every call behind every door, and every fault."""
