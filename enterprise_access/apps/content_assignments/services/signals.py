"""What assignments tell the apps above."""

from typing import Final

from django.dispatch import Signal

# `assignments`: the rows as they are now (several after one call); `action`: the AssignmentAction that changed their
# state; `now`. Sent in the transaction of the change, after its writes: a receiver writes rows of its own and never
# uses the network. An exception of a receiver undoes the change. `sender` is the model.
assignment_changed: Final = Signal()
