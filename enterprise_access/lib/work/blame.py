"""Whether an error is the fault of the rows that were worked on."""

from celery.exceptions import SoftTimeLimitExceeded

from enterprise_access.lib.transactions import is_lost


def is_nobodys_fault(error: BaseException) -> bool:
    """Say whether the work ended because of the database or a shutdown, and not because of any row."""
    return is_lost(error) or not isinstance(error, Exception)


def is_final(error: BaseException) -> bool:
    """Say whether an error ends the whole round, so that the rows are not tried apart."""
    return is_nobodys_fault(error) or isinstance(error, SoftTimeLimitExceeded)
