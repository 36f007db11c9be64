"""What budgets tell the apps above them, inside the transaction that records it.

Both signals carry `transaction` (our copy, sender SubsidyTransaction) and `reservation` (the promise that it stands
for; None for money that another tool moved). A receiver only writes rows: it never asks the network. A transaction that
we first hear of when it is reversed already is told as reversed only.
"""

from typing import Final

from django.dispatch import Signal

transaction_committed: Final = Signal()
transaction_reversed: Final = Signal()
