"""The event bus: what we hear on it (consumer, handling) and what we say on it (schemas, outbox, producer).

Apps say in their `handlers` what they do with an event; this package knows none of them.
"""
