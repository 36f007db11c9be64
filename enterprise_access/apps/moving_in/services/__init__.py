"""Use cases of moving in."""
