"""Writes of types: what staff say of courses, what is imported, and what is matched; and how reality differs."""
