"""What this app tells the apps above it, inside the transaction that records it."""

from django.dispatch import Signal

# sender=RedemptionAttempt, attempt=<row>: it is committed or refused.
attempt_ended = Signal()
