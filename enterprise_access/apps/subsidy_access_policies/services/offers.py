"""What a budget's catalog says of content: whether it is in it, what it costs, and until when one can enroll.

The answers are content_metadata's copies, with their ages: one question for all keys and policies of a customer.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_metadata.domain import (
    Course,
    CourseRun,
    NormalizedMetadata,
    NotYetKnown,
    Partner,
    Unresolved,
    UnresolvedReason,
)
from enterprise_access.apps.content_metadata.selectors import Content, fetch_content
from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy
from enterprise_access.lib.keys import fold


@frozen(kw_only=True)
class Offer:
    """What the catalog of one budget knows of one content key. Instants are aware UTC.

    `run_key` is the run itself, or the advertised one of a course; None: no run is known. `is_in_catalog` and
    `has_metadata` are None when the catalog could not be asked, and nothing else of the offer counts then. A restricted
    run is in a catalog only where that catalog allows it. Prices are in dollars as the catalog gives them; None: it
    gives none. `partners`: who offers the course; None: not known. `fetched_at`: when the catalog was asked.
    """

    run_key: str | None = None
    course_key: str | None = None
    title: str = ""
    partners: tuple[Partner, ...] | None = None
    is_in_catalog: bool | None = None
    has_metadata: bool | None = None
    run_dollars: float | None = None
    course_dollars: float | None = None
    enroll_by: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    is_executive_education: bool = False
    fetched_at: datetime | None = None


def fetch_offers(
    policies: Collection[SubsidyAccessPolicy],
    content_keys: Collection[str],
    *,
    now: datetime,  # noqa: ARG001 (a reader of facts takes the time; these copies have ages of their own)
) -> dict[tuple[UUID, str], Offer]:
    """Return, for each budget's catalog and each key (of a course or a run, as asked), what the catalog knows of it.

    Never raises when the catalog service cannot be asked. The copies have the ages of content_metadata.
    """
    by_customer: dict[UUID, list[SubsidyAccessPolicy]] = defaultdict(list)
    for policy in policies:
        by_customer[policy.customer_uuid].append(policy)
    offers: dict[tuple[UUID, str], Offer] = {}
    for customer_uuid, own in by_customer.items():
        of_catalogs = fetch_offers_of_catalogs(
            customer_uuid=customer_uuid,
            catalog_uuids={policy.catalog_uuid for policy in own},
            content_keys=content_keys,
        )
        offers |= {
            (policy.pk, key): of_catalogs[policy.catalog_uuid, fold(key)] for policy in own for key in content_keys
        }
    return offers


def fetch_offers_of_catalogs(
    *, customer_uuid: UUID, catalog_uuids: Collection[UUID], content_keys: Collection[str]
) -> dict[tuple[UUID, str], Offer]:
    """Do the same for catalogs of one customer, by catalog and folded key."""
    found = fetch_content(customer_uuid=customer_uuid, content_keys=content_keys) if catalog_uuids else {}
    return {
        (catalog_uuid, key): _offer_of(content, catalog_uuid)
        for key, content in found.items()
        for catalog_uuid in catalog_uuids
    }


def _offer_of(content: Content, catalog_uuid: UUID) -> Offer:
    resolution = content.resolution
    if isinstance(resolution, Unresolved):
        is_unknown = resolution.reason is UnresolvedReason.CATALOG_UNAVAILABLE
        course = resolution.course
        return Offer(
            course_key=course.key if course else None,
            title=content.title,
            partners=content.partners,
            is_in_catalog=None if is_unknown else False,
            has_metadata=None if is_unknown else False,
            fetched_at=content.fetched_at,
        )
    return _offer_of_run(content, resolution.course, resolution.run, catalog_uuid)


def _offer_of_run(content: Content, course: Course, run: CourseRun, catalog_uuid: UUID) -> Offer:
    metadata = course.metadata_of(run.key)
    of_course = _metadata_of_course(course)
    return Offer(
        run_key=run.key,
        course_key=course.key,
        title=course.title,
        partners=course.partners,
        is_in_catalog=None if content.catalogs is None else catalog_uuid in content.catalogs,
        has_metadata=True,
        run_dollars=metadata.content_price if metadata else None,
        course_dollars=of_course.content_price if of_course else None,
        enroll_by=metadata.enroll_by_date if metadata else run.enrollment_ends_at,
        start_date=metadata.start_date if metadata else run.starts_at,
        end_date=metadata.end_date if metadata else run.ends_at,
        is_executive_education=course.is_executive_education,
        fetched_at=content.fetched_at,
    )


def _metadata_of_course(course: Course) -> NormalizedMetadata | None:
    """Return what the catalog says of the course: it is what it says of the advertised run."""
    if course.advertised_run is None or isinstance(course.advertised_run, NotYetKnown):
        return None
    advertised = course.run_with_uuid(course.advertised_run)
    return course.metadata_of(advertised.key) if advertised else None
