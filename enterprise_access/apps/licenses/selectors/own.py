"""A learner's own licenses, asked for with the learner's own token.

One page of the portal is many requests at once, and license-manager allows a learner 18 calls a second: what one of
them has read in the last few seconds serves the others.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from attrs import asdict
from django.conf import settings

from enterprise_access.apps.licenses.domain import Agreement, LicenseStatus, OwnLicense, OwnLicenses, OwnPlan
from enterprise_access.lib.cached_entries import Entry
from enterprise_access.lib.caching import Ages, Fetch, RefreshingCache
from enterprise_access.lib.errors import UpstreamChanged, UpstreamError, UpstreamReason, UpstreamUnavailable
from enterprise_access.lib.http import deadline
from enterprise_access.upstream import license_manager
from enterprise_access.upstream.license_manager import types

# A learner has one answer per customer: the group says whose it is, and nothing is left for the key to say.
_KEY: Final = "licenses"
_OF_AN_AGREEMENT: Final = frozenset(field.name for field in Agreement.__attrs_attrs__)


def _ages_of(_answer: types.OwnLicensesRecord) -> Ages:
    """Never refreshed behind the back, since that would need the learner's token; never served when it is old."""
    seconds = settings.OWN_LICENSES_SECONDS
    return Ages(soft=2 * seconds, hard=seconds, forget=seconds)


_cache: Final[RefreshingCache[types.OwnLicensesRecord]] = RefreshingCache(
    "own_licenses", version=2, ages_of=_ages_of, in_memory=False
)


def fetch_own_licenses(
    *, learner_token: str, customer_uuid: UUID, lms_user_id: int, budget_seconds: float
) -> OwnLicenses:
    """Return the licenses of the token's owner, who is `lms_user_id`, as of a few seconds ago at most.

    Raises UpstreamError when license-manager does not answer within the budget: that is never "none". An answer with
    unreadable licenses counts if it shows another one to use or to activate; otherwise it is unknown as a whole.
    """
    failures: list[UpstreamError] = []
    ask = _asking(learner_token, customer_uuid)

    def fetch(keys: Collection[str], ends_at: float) -> dict[str, types.OwnLicensesRecord]:
        try:
            return dict(ask(keys, ends_at))
        except UpstreamError as error:
            failures.append(error)
            raise

    found = _cache.get(
        _group(customer_uuid, lms_user_id),
        [_KEY],
        fetch=fetch,
        refresh_later=_nobody,
        may_fail=(UpstreamError,),
        budget_seconds=budget_seconds,
    )
    entry = found.get(_KEY)
    if entry is None or entry.is_stale:
        raise failures[0] if failures else _somebody_elses_failure()
    return _as_own_licenses(entry)


def read_own_licenses_again(
    *, learner_token: str, customer_uuid: UUID, lms_user_id: int, ends_at: float
) -> OwnLicenses:
    """Ask license-manager, whatever was read before, until time.monotonic() is `ends_at`. Raises UpstreamError."""
    entries = _cache.refresh(
        _group(customer_uuid, lms_user_id), [_KEY], fetch=_asking(learner_token, customer_uuid), ends_at=ends_at
    )
    return _as_own_licenses(entries[_KEY])


def forget_own_licenses(*, customer_uuid: UUID, lms_user_id: int) -> None:
    """Let the next reader ask: something was changed just now."""
    _cache.forget(_group(customer_uuid, lms_user_id), [_KEY])


def _group(customer_uuid: UUID, lms_user_id: int) -> str:
    """Build the one form of what a learner's answer is stored under: by the LMS's id, never by one of ours."""
    return f"{customer_uuid}:{lms_user_id}"


def _asking(learner_token: str, customer_uuid: UUID) -> Fetch[types.OwnLicensesRecord]:
    def ask(_keys: Collection[str], ends_at: float) -> dict[str, types.OwnLicensesRecord]:
        client = license_manager.from_settings(optional="own licenses")
        with deadline(ends_at):
            return {_KEY: client.list_own_licenses(learner_token=learner_token, customer_uuid=customer_uuid)}

    return ask


def _nobody(_keys: Collection[str]) -> None:
    """Nobody is told to refresh behind the back."""


def _somebody_elses_failure() -> UpstreamUnavailable:
    return UpstreamUnavailable(
        "license-manager did not answer another request that asked for the same",
        service="license-manager",
        reason=UpstreamReason.TIMEOUT,
    )


def _as_own_licenses(entry: Entry[types.OwnLicensesRecord]) -> OwnLicenses:
    answer = entry.value
    if answer.licenses.unreadable and not any(map(_is_worth_having, answer.licenses)):
        raise UpstreamChanged(
            "license-manager answered, but a license that may be the one to use cannot be read",
            service="license-manager",
            reason=UpstreamReason.UNKNOWN_SHAPE,
        )
    return OwnLicenses(
        licenses=tuple(_as_own_license(row, row.plan) for row in answer.licenses),
        agreement=None if answer.agreement is None else _as_agreement(answer.agreement),
        fetched_at=entry.fetched_at,
    )


def _is_worth_having(row: types.LicenseRecord) -> bool:
    return row.status in (types.ACTIVATED, types.ASSIGNED) and row.plan.is_active and row.plan.is_current


def _as_own_license(row: types.LicenseRecord, plan: types.PlanRecord) -> OwnLicense:
    return OwnLicense(
        uuid=row.uuid,
        status=LicenseStatus(row.status),
        plan=OwnPlan(
            uuid=plan.uuid,
            title=plan.title,
            catalog_uuid=plan.catalog_uuid,
            is_active=plan.is_active,
            is_current=plan.is_current,
            starts_at=plan.starts_at,
            expires_at=plan.expires_at,
            days_until_expiration=plan.days_until_expiration,
            days_until_expiration_including_renewals=plan.days_until_expiration_including_renewals,
            should_auto_apply_licenses=plan.should_auto_apply_licenses,
        ),
        user_email=row.user_email,
        activated_at=row.activated_at,
        revoked_at=row.revoked_at,
        last_reminded_at=row.last_reminded_at,
        activation_key=row.activation_key,
    )


def _as_agreement(agreement: types.AgreementRecord) -> Agreement:
    return Agreement(**asdict(agreement, filter=lambda attribute, _: attribute.name in _OF_AN_AGREEMENT))
