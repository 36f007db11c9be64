"""Types and modes that content has and no one here knows. Nothing fails by them: weaker evidence is used instead."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from attrs import frozen

from enterprise_access.apps.content_metadata.domain import Course, CourseRun, Resolved
from enterprise_access.apps.content_metadata.selectors import peek_content
from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.selectors import get_graph, list_discovery_uuids
from enterprise_access.apps.course_types.services.evidence import list_lms_modes
from enterprise_access.apps.customers.selectors import list_customers
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.lib.keys import fold


class UnlistedKind(StrEnum):
    """What is not known."""

    COURSE_TYPE = "course type"
    RUN_TYPE = "run type"
    SEAT_TYPE = "seat type"
    MODE = "mode"


@frozen(kw_only=True)
class UnlistedType:
    """Something that a course or run has, and what is gone by instead."""

    kind: UnlistedKind
    name: str
    content_key: str
    instead: str


def list_unknown_types() -> list[UnlistedType]:
    """Return what no one knows of the content of living intentions, as far as it is in the cache. Asks no one.

    Without repetition, however many customers intend the same.
    """
    graph, uuids = get_graph(), list_discovery_uuids()
    found: dict[UnlistedType, None] = {}
    for resolved in _contents():
        course, run = resolved.course, resolved.run
        modes = list_lms_modes([run.key]).get(fold(run.key))
        found |= dict.fromkeys(_of_course(graph, course))
        found |= dict.fromkeys(_of_run(graph, run, modes, is_known=not uuids or run.run_type_uuid in {None, *uuids}))
    return list(found)


def _contents() -> Iterator[Resolved]:
    for customer in list_customers():
        living = DefaultEnterpriseEnrollmentIntention.objects.living().of_customer(customer.pk)
        keys = list(living.values_list("content_key", flat=True))
        for content in peek_content(customer_uuid=customer.pk, content_keys=keys).values():
            if isinstance(content.resolution, Resolved):
                yield content.resolution


def _of_course(graph: TypeGraph, course: Course) -> Iterator[UnlistedType]:
    if course.course_type is not None and course.course_type not in graph.course_types:
        yield UnlistedType(
            kind=UnlistedKind.COURSE_TYPE,
            name=course.course_type,
            content_key=course.key,
            instead="The modes are those of the LMS, or follow from the seats.",
        )


def _of_run(graph: TypeGraph, run: CourseRun, modes: Iterable[str] | None, *, is_known: bool) -> Iterator[UnlistedType]:
    if not is_known:
        text = "Until the LMS has answered, the modes follow from the seats."
        yield UnlistedType(kind=UnlistedKind.RUN_TYPE, name=str(run.run_type_uuid), content_key=run.key, instead=text)
    for slug in sorted(run.modes_from_seats - set(graph.seat_types)):
        text = "A seat of this type is taken for a mode of the same name."
        yield UnlistedType(kind=UnlistedKind.SEAT_TYPE, name=slug, content_key=run.key, instead=text)
    for slug in sorted(set(modes or ()) - set(graph.modes)):
        text = "Nobody is enrolled in it automatically."
        yield UnlistedType(kind=UnlistedKind.MODE, name=slug, content_key=run.key, instead=text)
