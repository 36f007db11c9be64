"""The upstream services: one package each, with a client, its typed answers, and three kinds of failure.

A client asks and reads; it keeps nothing. What an answer means is decided by the apps.
"""
