"""The facts that decisions are made from, and the cases that they make up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

from attrs import define, evolve, field, frozen
from django.db import models
from django.db.models import Exists, OuterRef, QuerySet, Value

from enterprise_access.apps.content_metadata.domain import Resolved, course_key_of_run
from enterprise_access.apps.content_metadata.selectors import Content, KnownModes
from enterprise_access.apps.course_types.domain.modes import Modes
from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy, Learner
from enterprise_access.apps.default_enrollments.domain.remembering import Decided, decide_for_a_while
from enterprise_access.apps.default_enrollments.domain.values import (
    Case,
    Enrollment,
    RealizationFact,
    Reason,
    Verdict,
)
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationOverride,
    override_validity,
)
from enterprise_access.apps.default_enrollments.selectors.endings import was_revoked
from enterprise_access.lib.keys import fold
from enterprise_access.lib.prepared import Prepared

Intention = DefaultEnterpriseEnrollmentIntention
Realization = DefaultEnterpriseEnrollmentRealization


@define(kw_only=True, eq=False)
class Intended:
    """An intention and what it stands for, whoever the learner. Never changed by anybody else than itself.

    `case` is that of a linked learner who has nothing; `labels` are what a row of a learner can be found under that
    may have to do with it.
    """

    intention: Intention
    content: Content
    modes: KnownModes | None
    case: Case
    labels: frozenset[str]
    _decided: Decided | None = field(default=None, init=False)

    def verdict_for_newcomer(self, *, now: datetime) -> Verdict:
        """Return what `decide` says of `case` at `now`."""
        decided = self._decided
        if decided is None or not decided.holds_at(now):
            self._decided = decided = decide_for_a_while(self.case, now=now)
        return decided.verdict


# By intention, as it was last met.
_kept: Final[dict[UUID, Intended]] = {}
_MOST_KEPT: Final = 10_000


def facts_of_modes(modes: KnownModes | None) -> dict[str, Any]:
    """Return the members of a case that come with the modes of its run (None: not known)."""
    if modes is None:
        return {"modes": None}
    return {
        "modes": None if modes.is_unknown else modes.modes,
        "is_invitation_only": modes.is_invitation_only,
        "is_run_unknown_to_lms": modes.is_unknown,
        "lms_enrollment_starts_at": modes.enrollment_starts_at,
        "lms_enrollment_ends_at": modes.enrollment_ends_at,
    }


def as_intended(intention: Intention, content: Content, modes: KnownModes | None) -> Intended:
    """Put together what an intention stands for. As long as all of it stays what it is, this is the same object, so
    that what follows from it alone (how it is written, say) can be kept beside it."""
    kept = _kept.get(intention.uuid)
    if (
        kept is not None
        and kept.intention is intention
        and kept.content is content
        and (kept.modes is modes or kept.modes == modes)
    ):
        return kept
    case = Case(
        is_linked=True,
        is_customer_active=True,
        content_type=intention.content_kind,
        content_key=intention.content_key,
        resolution=content.resolution,
        catalogs=content.catalogs,
        **facts_of_modes(modes),
    )
    course_uuid = str(case.course_uuid) if case.course_uuid else None
    labels = frozenset(label for label in (case.target_run_key, case.course, course_uuid, *case.run_keys) if label)
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[intention.uuid] = intended = Intended(
        intention=intention, content=content, modes=modes, case=case, labels=labels
    )
    return intended


@frozen(kw_only=True)
class Facts:
    """What is known of some learners of one customer, and when it was read (`read_at`).

    `contents` is keyed by folded content key, `modes` by folded run key, `enterprise_enrollments` by learner and
    folded run key; `modes_of_ended` are those of runs in which a paid enrollment has ended, as they were read last;
    `overrides` are the active ones, by learner and intention; `realized_elsewhere` is what other customers realized for
    the learner; `unknown` are learners of whom the LMS's answer cannot be read: nothing may be decided for them.
    """

    customer_uuid: UUID
    is_customer_active: bool
    intentions: tuple[Intention, ...]
    learners: Mapping[int, Learner]
    enrollments: Mapping[int, tuple[EnrollmentCopy, ...]]
    enterprise_enrollments: Mapping[tuple[int, str], EnterpriseEnrollmentCopy]
    realizations: Mapping[int, tuple[Realization, ...]]
    contents: Mapping[str, Content]
    modes: Mapping[str, KnownModes]
    modes_of_ended: Mapping[str, Modes]
    overrides: frozenset[tuple[int, UUID]]
    realized_elsewhere: Mapping[int, tuple[Realization, ...]]
    read_at: datetime
    unknown: frozenset[int] = frozenset()

    def content_of(self, intention: Intention) -> Content:
        """Return what the intention's key stands for."""
        return self.contents[intention.content_key_folded]

    def modes_of(self, intention: Intention) -> KnownModes | None:
        """Return the modes of the run that the intention stands for, if they are known."""
        resolution = self.content_of(intention).resolution
        return self.modes.get(fold(resolution.run.key)) if isinstance(resolution, Resolved) else None

    def intended(self, intention: Intention) -> Intended:
        """Return the intention with what it stands for."""
        return as_intended(intention, self.content_of(intention), self.modes_of(intention))

    def is_linked(self, lms_user_id: int) -> bool:
        """Say whether the learner is linked to the customer."""
        learner = self.learners.get(lms_user_id)
        return learner is not None and learner.is_linked

    def enrollment_in(self, lms_user_id: int, course_run_key: str) -> EnrollmentCopy | None:
        """Return what the platform says of the learner in this run; None: no enrollment there."""
        rows = self.enrollments.get(lms_user_id, ())
        return next((row for row in rows if fold(row.course_run_key) == fold(course_run_key)), None)


def list_intentions(*, customer_uuid: UUID) -> tuple[Intention, ...]:
    """Return the customer's living intentions, oldest first."""
    return tuple(Intention.objects.living().of_customer(customer_uuid))


@frozen(kw_only=True)
class LastLook:
    """What came of the last look at one intention for one learner."""

    at: datetime
    outcome: str
    reason: str


def list_intentions_for(
    *, customer_uuid: UUID, lms_user_id: int, now: datetime
) -> tuple[tuple[Intention, ...], frozenset[tuple[int, UUID]]]:
    """Return the living intentions, and the learner's active overrides as `list_overrides` does; in one statement.

    The intentions are not to be changed: as long as the database answers the same, they are the same objects.
    """
    rows = _INTENTIONS_AND_OVERRIDES.raw_rows(
        customer_uuid=customer_uuid, lms_user_id=lms_user_id, now=now, earliest=now - override_validity()
    )
    intentions = _as_intentions(tuple(row[:-1] for row in rows))
    overridden = (intention.pk for intention, row in zip(intentions, rows, strict=True) if row[-1])
    return intentions, frozenset((lms_user_id, intention_id) for intention_id in overridden)


_INTENTION: Final = [field.attname for field in Intention._meta.concrete_fields]
# What readers use of a realization. (Django would read any other column when it is asked for it.)
_REALIZATION_FIELDS: Final = [
    field for field in Realization._meta.concrete_fields if field.name not in {"created", "compared_at"}
]
_REALIZATION: Final = [field.attname for field in _REALIZATION_FIELDS]


def _intentions_and_overrides(
    customer_uuid: UUID, lms_user_id: int, now: datetime, earliest: datetime
) -> QuerySet[Intention, Any]:
    active = RealizationOverride.objects.valid(now=now, earliest=earliest)
    mine = active.filter(intention=OuterRef("pk"), lms_user_id=lms_user_id)
    return Intention.objects.living().of_customer(customer_uuid).values_list(*_INTENTION, Exists(mine))


_INTENTIONS_AND_OVERRIDES: Final = Prepared(
    _intentions_and_overrides,
    customer_uuid=models.UUIDField(),
    lms_user_id=models.BigIntegerField(),
    now=models.DateTimeField(),
    earliest=models.DateTimeField(),
)


@lru_cache(maxsize=1024)
def _as_intentions(raw_rows: tuple[tuple[object, ...], ...]) -> tuple[Intention, ...]:
    rows = _INTENTIONS_AND_OVERRIDES.converted([(*row, False) for row in raw_rows])
    return tuple(Intention.from_db("default", _INTENTION, row[:-1]) for row in rows)


Realizations = dict[int, tuple[Realization, ...]]


def list_realizations(*, customer_uuid: UUID, lms_user_ids: Iterable[int]) -> Realizations:
    """Return by learner what was realized for this customer, also of intentions that are deleted by now."""
    ids = list(lms_user_ids)
    return _by_learner(Realization.objects.filter(intention__customer_id=customer_uuid, lms_user_id__in=ids), ids)


def list_realized_elsewhere(*, customer_uuid: UUID, lms_user_ids: Iterable[int]) -> Realizations:
    """Return by learner what was realized for other customers."""
    ids = list(lms_user_ids)
    elsewhere = Realization.objects.filter(lms_user_id__in=ids).exclude(intention__customer_id=customer_uuid)
    return _by_learner(elsewhere, ids)


@frozen(kw_only=True)
class Past:
    """What became of one learner: what was realized `here` (for this customer), `elsewhere` (for others), and what came
    of the last look at each intention. Absent: there was no look yet."""

    here: Realizations
    elsewhere: Realizations
    last_looks: Mapping[UUID, LastLook]


def get_past(*, customer_uuid: UUID, lms_user_id: int) -> Past:
    """Return `list_realizations` and `list_realized_elsewhere` of one learner, and the last looks; in one statement."""
    here: list[Realization] = []
    elsewhere: list[Realization] = []
    looks: dict[UUID, tuple[int, LastLook]] = {}
    for *values, customer_id in _PAST.rows(lms_user_id=lms_user_id):
        if customer_id is not None:
            row = Realization.from_db("default", _REALIZATION, values)
            (here if customer_id == customer_uuid else elsewhere).append(row)
            continue
        at, intention_id, number, outcome, reason = (values[place] for place in _LOOK_PLACES)
        if intention_id not in looks or looks[intention_id][0] < number:
            looks[intention_id] = number, LastLook(at=at, outcome=outcome, reason=reason)
    for rows in (here, elsewhere):  # newest first, as everywhere
        rows.sort(key=lambda row: (-row.realized_at.timestamp(), row.pk))
    return Past(
        here=_by_learner(here, [lms_user_id]),
        elsewhere=_by_learner(elsewhere, [lms_user_id]),
        last_looks={intention_id: look for intention_id, (_, look) in looks.items()},
    )


# Which columns of an attempt stand below which ones of a realization, being of the same kind. There is nothing below
# the others, the customer among them: that is how an attempt is told from a realization.
_LOOK_BELOW: Final = {
    "modified": "last_seen_at",
    "intention_id": "intention_id",
    "enterprise_customer_user_id": "pk",
    "course_key": "outcome",
    "course_run_key": "reason",
}
_LOOK_PLACES: Final = [_REALIZATION.index(name) for name in _LOOK_BELOW]


def _past(lms_user_id: int) -> QuerySet[Realization, Any]:
    attempts = RealizationAttempt.objects.filter(lms_user_id=lms_user_id).order_by()
    columns = [_LOOK_BELOW.get(field.attname, Value(None, output_field=field)) for field in _REALIZATION_FIELDS]
    realizations = Realization.objects.filter(lms_user_id=lms_user_id).order_by()
    return realizations.values_list(*_REALIZATION, "intention__customer_id").union(
        attempts.values_list(*columns, Value(None, output_field=models.UUIDField())), all=True
    )


_PAST: Final = Prepared(_past, lms_user_id=models.BigIntegerField())


def _by_learner(rows: Iterable[Realization], lms_user_ids: Iterable[int]) -> Realizations:
    found: dict[int, list[Realization]] = {lms_user_id: [] for lms_user_id in lms_user_ids}
    for row in rows:
        found[row.lms_user_id].append(row)
    return {lms_user_id: tuple(of_learner) for lms_user_id, of_learner in found.items()}


def list_overrides(*, customer_uuid: UUID, lms_user_ids: Iterable[int], now: datetime) -> frozenset[tuple[int, UUID]]:
    """Return the active overrides of these learners, as pairs of learner and intention."""
    active = RealizationOverride.objects.active(now).filter(
        intention__customer_id=customer_uuid, lms_user_id__in=list(lms_user_ids)
    )
    return frozenset(active.values_list("lms_user_id", "intention_id"))


def make_cases(facts: Facts, *, lms_user_id: int) -> dict[Intention, Case]:
    """Return what there is to decide for one learner: a case per intention."""
    return {known.intention: case for known, case in make_cases_of_intended(facts, lms_user_id=lms_user_id).items()}


def make_cases_of_intended(facts: Facts, *, lms_user_id: int) -> dict[Intended, Case]:
    """Return `make_cases`, by the intentions with what they stand for. Who has nothing of an intention has its case."""
    enrollments = [
        Enrollment(
            course_run_key=row.course_run_key,
            mode=row.mode,
            is_active=row.is_active,
            is_revoked=was_revoked(
                row,
                facts.enterprise_enrollments.get((lms_user_id, fold(row.course_run_key))),
                facts.modes_of_ended,
            ),
        )
        for row in facts.enrollments.get(lms_user_id, ())
    ]
    shelf = _Shelf(
        enrollments=_labelled(enrollments), realizations=_labelled(_realizations_that_count(facts, lms_user_id))
    )
    intended = map(facts.intended, facts.intentions)
    is_linked = facts.is_linked(lms_user_id)
    return {known: _make_case(facts, known, lms_user_id, is_linked, shelf) for known in intended}


Row = TypeVar("Row", Enrollment, Realization)


@frozen(kw_only=True)
class _Shelf:
    """A learner's rows by everything that they may be found under: with a hundred intentions and as many enrollments,
    to try every row with every intention would be most of the work."""

    enrollments: Mapping[str, Sequence[Enrollment]]
    realizations: Mapping[str, Sequence[Realization]]


def _labelled(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return rows by folded run key, and by the folded course key that is stored or that the run key spells out."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        for label in labels_of(row.course_run_key, row.course_key, getattr(row, "course_uuid", None)):
            found.setdefault(label, []).append(row)
    return found


# Many learners have the same runs.
@lru_cache(maxsize=32_768)
def labels_of(course_run_key: str, course_key: str | None, course_uuid: UUID | None = None) -> tuple[str, ...]:
    """Return everything that a row with these keys may be found under."""
    labels = {
        fold(course_run_key),
        fold(course_key or ""),
        course_key_of_run(course_run_key),
        str(course_uuid) if course_uuid else None,
    }
    return tuple(label for label in labels if label)


def _under(labels: frozenset[str], rows: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Return the rows that have any of the labels, each once."""
    found = [row for label in labels & rows.keys() for row in rows[label]]
    return list({id(row): row for row in found}.values()) if len(found) > 1 else found


def _make_case(facts: Facts, known: Intended, lms_user_id: int, is_linked: bool, shelf: _Shelf) -> Case:
    # Whatever may belong to the course, and the runs in which it was realized; which of it does, the rules say.
    realizations = _under(known.labels, shelf.realizations)
    labels = known.labels.union(fold(row.course_run_key) for row in realizations) if realizations else known.labels
    enrollments = _under(labels, shelf.enrollments)
    has_override = (lms_user_id, known.intention.uuid) in facts.overrides
    if is_linked and facts.is_customer_active and not (enrollments or realizations or has_override):
        return known.case
    return evolve(
        known.case,
        is_linked=is_linked,
        is_customer_active=facts.is_customer_active,
        has_override=has_override,
        enrollments=tuple(enrollments),
        realizations=tuple(_as_fact(row, known.intention) for row in realizations),
    )


def _realizations_that_count(facts: Facts, lms_user_id: int) -> Iterator[Realization]:
    """Yield this customer's realizations, and those of others that the learner has left: a course that was left is
    left, whoever it was that enrolled (ADR 0014). One that cannot be seen may have been left, too."""
    yield from facts.realizations.get(lms_user_id, ())
    for row in facts.realized_elsewhere.get(lms_user_id, ()):
        seen = facts.enrollment_in(lms_user_id, row.course_run_key)
        if row.left_at is not None or seen is None or not seen.is_active:
            yield row


def _as_fact(row: Realization, intention: Intention) -> RealizationFact:
    return RealizationFact(
        course_run_key=row.course_run_key,
        course_key=row.course_key,
        course_uuid=row.course_uuid,
        of_this_intention=row.intention_id == intention.uuid,
        left_at=row.left_at,
        left_reason=Reason(row.left_reason) if row.left_reason else None,
    )
