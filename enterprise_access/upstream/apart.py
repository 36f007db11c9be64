"""A question about many that fails as a whole is taken apart, until whoever makes it fail stands alone."""

import contextlib
from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeVar

from enterprise_access.lib import breaker, unreadable
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.rows import Rows, UnreadableRow
from enterprise_access.upstream.paging import joined

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

# One culprit among 100 is alone after 14 calls, and two after 26 at most.
MAX_CALLS: Final = 32
# If even the quarters all fail, it is the service and not one of the keys.
_QUARTERS: Final = 7


def read_apart(keys: Sequence[K], ask: Callable[[Sequence[K]], Rows[T]], *, call: str) -> Rows[T]:
    """Return what `ask` returns for all keys; where it fails because of some, those are UnreadableRow.

    They are counted, logged and shown to operators by the name of the `call`, as unreadable rows are.

    Asks in halves, broad before deep. A 500 does not count for the breaker until even the quarters have failed. Keys
    that there were no calls left for are UnreadableRow as well. Raises what `ask` raises if nothing was answered.
    """
    answers: list[Rows[T]] = []
    failed: list[UnreadableRow] = []
    pending: list[Sequence[K]] = [keys]
    calls, first, last = 0, None, None
    while pending:
        piece = pending.pop(0)
        if calls == MAX_CALLS or (last is not None and not last.may_be_one_row):
            failed += [UnreadableRow(problem="not asked for alone", key=key) for key in piece]
            continue
        calls += 1
        try:
            # Asked about everybody and never answered: that is the service, and its breaker has to know.
            is_the_service = calls == _QUARTERS and not answers
            with contextlib.nullcontext() if is_the_service else breaker.blaming_the_keys():
                answers.append(ask(piece))
        except UpstreamError as error:
            first, last = first or error, error
            if not error.may_be_one_row or len(keys) == 1 or (calls == _QUARTERS and not answers):
                if not answers:
                    raise first from None
                failed += [UnreadableRow(problem=error.reason.value, key=key) for key in piece]
            elif len(piece) == 1:
                failed.append(UnreadableRow(problem=error.reason.value, key=piece[0]))
            else:
                middle = len(piece) // 2
                pending += [piece[:middle], piece[middle:]]
    if first is not None:
        if not answers:
            raise first
        unreadable.note(service=first.service, call=call, rows=failed)
    return Rows(joined(answers), [*(row for answer in answers for row in answer.unreadable), *failed])
