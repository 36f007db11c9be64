"""Saying what courses and runs are for. What the rules refuse is refused whoever asks, and whatever is imported."""

from datetime import datetime

from attrs import asdict, frozen
from django.db import transaction
from django.utils import timezone

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.keys import fold_course_key, fold_run_key, org_of
from enterprise_access.apps.course_types.domain.transitions import Transition, check_course, check_run
from enterprise_access.apps.course_types.errors import (
    AlreadyPublished,
    RunOfAnotherCourse,
    TransitionRefused,
    UntypedContent,
)
from enterprise_access.apps.course_types.models import Source, TypedCourse, TypedCourseRun
from enterprise_access.apps.course_types.selectors import find_course_type, find_run_type, get_graph
from enterprise_access.lib.transactions import retry_deadlocks


@frozen(kw_only=True)
class Checked:
    """What would come of giving a course or run a type. `old` None: no one has said yet what it is for."""

    old: str | None
    new: str
    is_published: bool
    transition: Transition

    def refuse(self) -> None:
        """Raise TransitionRefused when anything speaks against it."""
        if not self.transition.is_allowed:
            raise TransitionRefused(
                " ".join(reason.text for reason in self.transition.reasons),
                extra={"from": self.old, "to": self.new, **as_plain(self.transition)},
            )


def as_plain(transition: Transition) -> dict[str, object]:
    """Return reasons and effects as plain data, sorted."""
    effects = asdict(transition.effects)
    return {
        "reasons": [
            {"code": reason.code.value, "text": reason.text, "slugs": list(reason.slugs)}
            for reason in transition.reasons
        ],
        "effects": {name: sorted(slugs) for name, slugs in effects.items()},
    }


def check_course_type(*, course_key: str, course_type: str) -> Checked:
    """Say what would come of giving a course this type. Nothing is saved. Raises MalformedKey and UnknownType."""
    return _check_course(get_graph(), course_key, _course(course_key), course_type)


def check_run_type(*, course_key: str, run_key: str, run_type: str) -> Checked:
    """Say what would come of giving a run this type. Nothing is saved.

    Raises MalformedKey, UnknownType, UntypedContent when the course has no type, and RunOfAnotherCourse.
    """
    course = _typed(course_key)
    return _check_run(get_graph(), course, _run(course, run_key), run_type)


@retry_deadlocks
def assign_course_type(
    *, course_key: str, course_type: str, publish: bool | None = None, source: Source = Source.ASSIGNED
) -> TypedCourse:
    """Say what a course is for. `publish`: learners may be in it from now on; None leaves it as it is.

    Raises MalformedKey, UnknownType, TransitionRefused and AlreadyPublished.
    """
    graph = get_graph()
    with transaction.atomic():
        checked = _check_course(graph, course_key, _course(course_key, lock=True), course_type)
        checked.refuse()
        row, is_new = TypedCourse.objects.select_for_update().get_or_create(
            course_key_folded=fold_course_key(course_key),
            defaults={
                "course_key": course_key.strip(),
                "course_type": find_course_type(slug=course_type),
                "source": source,
                "published_at": _published_at(None, publish),
            },
        )
        if not is_new:
            _check_course(graph, course_key, row, course_type).refuse()
            _change(row, "course_type", find_course_type(slug=course_type), publish, source)
    return row


@retry_deadlocks
def assign_run_type(
    *,
    course_key: str,
    run_key: str,
    run_type: str,
    publish: bool | None = None,
    source: Source = Source.ASSIGNED,
    besides: bool = False,
) -> TypedCourseRun:
    """Say what a run is for. `publish`: learners may be in it, and so in the course, from now on.

    `besides`: the course's type need not list the run's, as an operator has allowed for an oddity of the past.

    Raises MalformedKey, UnknownType, UntypedContent, RunOfAnotherCourse, TransitionRefused and AlreadyPublished.
    """
    graph = get_graph()
    with transaction.atomic():
        # Whoever changes the course waits: its type says which types its runs may have.
        course = _typed(course_key, lock=True)
        row = _run(course, run_key)
        _check_run(graph, course, row, run_type, besides=besides).refuse()
        found = find_run_type(slug=run_type)
        if row is None:
            row = TypedCourseRun.objects.create(
                course=course,
                run_key=run_key.strip(),
                run_type=found,
                source=source,
                published_at=_published_at(None, publish),
            )
        else:
            _change(row, "run_type", found, publish, source)
        if row.published_at is not None and course.published_at is None:
            course.published_at = row.published_at
            course.save()
    return row


def _course(course_key: str, *, lock: bool = False) -> TypedCourse | None:
    rows = TypedCourse.objects.select_for_update() if lock else TypedCourse.objects
    found: TypedCourse | None = rows.filter(course_key_folded=fold_course_key(course_key)).first()
    return found


def _typed(course_key: str, *, lock: bool = False) -> TypedCourse:
    course = _course(course_key, lock=lock)
    if course is None:
        raise UntypedContent(
            f"The course {course_key} has no type yet. Set it first.", extra={"course_key": course_key}
        )
    return course


def _run(course: TypedCourse, run_key: str) -> TypedCourseRun | None:
    row = TypedCourseRun.objects.select_related("run_type").filter(run_key_folded=fold_run_key(run_key)).first()
    if row is not None and row.course_id != course.pk:
        raise RunOfAnotherCourse(f"The run {run_key} belongs to another course.", extra={"run_key": run_key})
    return row


def _check_course(graph: TypeGraph, course_key: str, course: TypedCourse | None, slug: str) -> Checked:
    old = graph.course_type(course.course_type.slug) if course else None
    published = course is not None and course.published_at is not None
    runs = course.runs.values_list("run_type__slug", flat=True) if course else ()
    transition = check_course(
        old=old,
        new=graph.course_type(slug),
        entitlements=old.entitlement_types if old else (),
        published=published,
        run_types=tuple(runs),
        org=org_of(course_key),
    )
    return Checked(old=old.slug if old else None, new=slug, is_published=published, transition=transition)


def _check_run(
    graph: TypeGraph, course: TypedCourse, run: TypedCourseRun | None, slug: str, *, besides: bool = False
) -> Checked:
    old = graph.run_type(run.run_type.slug) if run else None
    published = run is not None and run.published_at is not None
    transition = check_run(
        old=old,
        new=graph.run_type(slug),
        published=published,
        course_type=None if besides else graph.course_type(course.course_type.slug),
    )
    return Checked(old=old.slug if old else None, new=slug, is_published=published, transition=transition)


def _change(row: TypedCourse | TypedCourseRun, name: str, found: object, publish: bool | None, source: Source) -> None:
    published_at = _published_at(row.published_at, publish)
    if getattr(row, name) == found and published_at == row.published_at and row.source == source:
        return
    setattr(row, name, found)
    row.published_at = published_at
    row.source = source
    row.save()


def _published_at(old: datetime | None, publish: bool | None) -> datetime | None:
    if publish is False and old is not None:
        raise AlreadyPublished("What was published once stays guarded: learners may be in it.")
    return timezone.now() if publish and old is None else old
