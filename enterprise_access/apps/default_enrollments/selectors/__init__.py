"""Reads of intentions, realizations and attempts."""
