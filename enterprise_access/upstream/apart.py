"""A question about many that fails as a whole is taken apart, until whoever makes it fail stands alone."""

from collections.abc import Callable, Hashable, Sequence
from http import HTTPStatus
from typing import Final, TypeVar

from enterprise_access.lib.errors import Reason, UpstreamError
from enterprise_access.lib.structure import Rows, Unreadable
from enterprise_access.upstream.paging import joined

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

# One culprit among 100 is alone after 14 calls, and two after 26 at most.
MAX_CALLS: Final = 32
# If even the quarters all fail, it is the service and not one of the keys.
_QUARTERS: Final = 7
_OF_ONE: Final = frozenset({Reason.UNKNOWN_SHAPE, Reason.NOT_JSON, Reason.TOO_LARGE, Reason.BAD_REQUEST})


def may_be_of_one(error: UpstreamError) -> bool:
    """Say whether one of many keys may be the cause of this failure of them all."""
    return error.reason in _OF_ONE or error.status == HTTPStatus.INTERNAL_SERVER_ERROR


def read_apart(keys: Sequence[K], ask: Callable[[Sequence[K]], Rows[T]]) -> Rows[T]:
    """Return what `ask` returns for all keys; where it fails because of some, those are Unreadable.

    Asks in halves, broad before deep, so that answers come between the failures and the breaker stays closed. Keys that
    there were no calls left for are Unreadable as well. Raises what `ask` raises if nothing at all was answered.
    """
    answers: list[Rows[T]] = []
    failed: list[Unreadable] = []
    pending: list[Sequence[K]] = [keys]
    calls, first, last = 0, None, None
    while pending:
        piece = pending.pop(0)
        if calls == MAX_CALLS or (last is not None and not may_be_of_one(last)):
            failed += [Unreadable(problem="not asked for alone", key=key) for key in piece]
            continue
        calls += 1
        try:
            answers.append(ask(piece))
        except UpstreamError as error:
            first, last = first or error, error
            if not may_be_of_one(error) or len(keys) == 1 or (calls == _QUARTERS and not answers):
                if not answers:
                    raise first from None
                failed += [Unreadable(problem=error.reason.value, key=key) for key in piece]
            elif len(piece) == 1:
                failed.append(Unreadable(problem=error.reason.value, key=piece[0]))
            else:
                middle = len(piece) // 2
                pending += [piece[:middle], piece[middle:]]
    if not answers and first is not None:
        raise first
    return Rows(joined(answers), [*(row for answer in answers for row in answer.unreadable), *failed])
