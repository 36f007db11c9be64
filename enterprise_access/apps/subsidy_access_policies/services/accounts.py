"""What we know of accounts, and bringing it up to date."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from enterprise_access.apps.subsidy_access_policies.domain.policies import SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.errors import AccountUnknown, CannotBeChecked
from enterprise_access.apps.subsidy_access_policies.models import Subsidy
from enterprise_access.apps.subsidy_access_policies.services.asking import start_each
from enterprise_access.apps.subsidy_access_policies.services.budget import record_balance
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamRefused
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream import subsidy as subsidy_service
from enterprise_access.upstream.subsidy.types import SubsidyRecord


def refresh_accounts(subsidy_uuids: Collection[UUID], *, max_age: timedelta, now: datetime) -> dict[UUID, Subsidy]:
    """Return accounts whose copy is at most `max_age` old, asking enterprise-subsidy for older ones.

    Each is requested once, and all of them within a bounded wait. One that could not be asked, or that the ledger does
    not show us, is missing: unknown.
    """
    return begin_to_refresh_accounts(Subsidy.objects.in_bulk(set(subsidy_uuids)), subsidy_uuids, since=now - max_age)()


def begin_to_refresh_accounts(
    copies: Mapping[UUID, Subsidy], subsidy_uuids: Collection[UUID], *, since: datetime
) -> Callable[[], dict[UUID, Subsidy]]:
    """Begin to ask for the accounts whose copies are older; return a function that waits, and does the same."""
    young = {uuid: row for uuid, row in copies.items() if row.fetched_at is not None and row.fetched_at >= since}
    # Before the first call: earlier than the reads, which is on the safe side.
    started_at = clock.now()
    old = sorted(set(subsidy_uuids) - young.keys())
    asked = start_each(old, lambda client, uuid: client.get_subsidy(subsidy_uuid=uuid))

    def finish() -> dict[UUID, Subsidy]:
        return young | {uuid: record_account(account, read_started_at=started_at) for uuid, account in asked().items()}

    return finish


def fetch_account(subsidy_uuid: UUID) -> Subsidy:
    """Return an account as enterprise-subsidy shows it now, for a decision that must not rest on an old copy.

    Raises AccountUnknown when the ledger knows no such account, and CannotBeChecked when it could not be asked.
    """
    client = subsidy_service.from_settings()
    started_at = clock.now()
    try:
        if client is None:
            raise CannotBeChecked(
                "This installation has no enterprise-subsidy.",
                service="enterprise-subsidy",
                reason=UpstreamReason.CONNECTION,
            )
        account = client.get_subsidy(subsidy_uuid=subsidy_uuid)
    except UpstreamRefused as error:
        if error.reason not in (UpstreamReason.FORBIDDEN, UpstreamReason.NOT_FOUND):
            raise _unchecked(error) from error
        raise AccountUnknown(f"There is no account {subsidy_uuid}.") from error
    except CannotBeChecked:
        raise
    except UpstreamError as error:
        raise _unchecked(error) from error
    return record_account(account, read_started_at=started_at)


def _unchecked(error: UpstreamError) -> CannotBeChecked:
    return CannotBeChecked(
        "The account cannot be checked now, so nothing was changed. Try again in a minute.",
        service=error.service,
        reason=error.reason,
    )


@retry_deadlocks
def record_account(account: SubsidyRecord, *, read_started_at: datetime) -> Subsidy:
    """Record an account as it was read. An older read than the one that we have changes nothing."""
    about = {"customer_uuid": account.customer_uuid, "title": account.title[:255]}
    known, is_new = Subsidy.objects.get_or_create(uuid=account.uuid, defaults=about)
    if not is_new and known.title != about["title"]:
        Subsidy.objects.filter(pk=account.uuid).update(title=about["title"])
    return record_balance(
        subsidy_uuid=account.uuid,
        balance_cents=account.balance_cents,
        deposits_cents=account.deposits_cents,
        period=SubsidyPeriod(start=account.starts_at, expiration=account.expires_at),
        read_started_at=read_started_at,
    )
