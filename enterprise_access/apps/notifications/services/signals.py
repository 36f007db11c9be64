"""What notifications tell the apps above."""

from typing import Final

from django.dispatch import Signal

# `notification`: the row with its outcome; `now`. Sent in the transaction that records the outcome: a receiver writes
# rows of its own and never uses the network. `sender` is the model.
notification_settled: Final = Signal()
