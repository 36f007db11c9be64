"""Reads of requests and of how customers take them."""
