"""Writes: what staff intend, what is owed, and realizing it."""
