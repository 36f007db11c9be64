"""Hostile values in every field of everything that takes input: requests of the API, and forms and lists of the admin.

The fields are read from the API document and from the pages themselves, so that a new one is tried without being named
here. HOSTILE_VALUES says how many values each field gets with the suite, in turn; `make test-fuzz` gives it sixteen.
"""
