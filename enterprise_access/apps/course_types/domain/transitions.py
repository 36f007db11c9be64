"""Which change of a type is possible, and what it brings.

Until something is published any type may follow any other. After that no mode of a run may vanish, since learners are
enrolled in it, nor a seat, since somebody may have bought it; and a course keeps its entitlement, or gets its first.
Neither prices nor the end of a run matter: an exception for them would be a way around the rule.
"""

from collections.abc import Collection, Iterator
from enum import StrEnum

from attrs import frozen

from enterprise_access.apps.course_types.domain.modes import AUDIT, VERIFIED
from enterprise_access.apps.course_types.domain.values import CourseType, RunType


class RefusalCode(StrEnum):
    """Why a change is refused. Stable: clients rely on the codes."""

    MODES_WOULD_VANISH = "modes_would_vanish"
    SEATS_WOULD_VANISH = "seats_would_vanish"
    ENTITLEMENT_WOULD_CHANGE = "entitlement_would_change"
    TYPE_RETIRED = "type_retired"
    NOT_OF_COURSE_TYPE = "not_of_course_type"
    ORG_NOT_ALLOWED = "org_not_allowed"
    RUNS_NOT_ALLOWED = "runs_not_allowed"


@frozen(kw_only=True)
class Refusal:
    """One reason against a change, for machines and for people. `slugs` are the modes, seats or types it is about."""

    code: RefusalCode
    text: str
    slugs: tuple[str, ...] = ()


@frozen(kw_only=True)
class Effects:
    """What a change adds and takes away. Products are seat types of a run, or entitlement types of a course."""

    modes_added: frozenset[str] = frozenset()
    modes_vanishing: frozenset[str] = frozenset()
    products_added: frozenset[str] = frozenset()
    products_vanishing: frozenset[str] = frozenset()


@frozen(kw_only=True)
class Transition:
    """Whether a change is possible: it is when nothing speaks against it."""

    reasons: tuple[Refusal, ...]
    effects: Effects

    @property
    def is_allowed(self) -> bool:
        """Whether the change may be made."""
        return not self.reasons


def check_run(
    *, old: RunType | None, new: RunType, published: bool, course_type: CourseType | None = None
) -> Transition:
    """Say whether a run may go from one type to another, and what that adds or would take away.

    `old` None = the run has no type yet. `course_type` None = not asked about; else the new type has to be one of its
    run types, or "not known yet". To keep what there is is always possible, odd as it may be.
    """
    effects = _effects(old, new)
    if old is not None and old.slug == new.slug:
        return Transition(reasons=(), effects=effects)
    reasons = [*_run_type_refusals(new, course_type), *(_vanishing(effects) if published else ())]
    return Transition(reasons=tuple(reasons), effects=effects)


def _effects(old: RunType | None, new: RunType) -> Effects:
    modes = old.modes if old else frozenset()
    seats = old.seat_types if old else frozenset()
    return Effects(
        modes_added=new.modes - modes,
        modes_vanishing=modes - new.modes,
        products_added=new.seat_types - seats,
        products_vanishing=seats - new.seat_types,
    )


def _run_type_refusals(new: RunType, course_type: CourseType | None) -> Iterator[Refusal]:
    if new.is_retired:
        yield _retired(new)
    if course_type is not None and not course_type.allows_run_type(new.slug):
        text = f"A course of the type {course_type.slug} has no runs of the type {new.slug}."
        yield Refusal(code=RefusalCode.NOT_OF_COURSE_TYPE, text=text, slugs=(new.slug,))


def _retired(new: RunType | CourseType) -> Refusal:
    return Refusal(
        code=RefusalCode.TYPE_RETIRED,
        text=f"The type {new.slug} is retired. No other course or run can get it.",
        slugs=(new.slug,),
    )


def _vanishing(effects: Effects) -> Iterator[Refusal]:
    if effects.modes_vanishing:
        slugs = tuple(sorted(effects.modes_vanishing))
        text = f"Learners may be enrolled in modes that would vanish: {', '.join(slugs)}."
        yield Refusal(code=RefusalCode.MODES_WOULD_VANISH, text=text, slugs=slugs)
    if effects.products_vanishing:
        slugs = tuple(sorted(effects.products_vanishing))
        text = f"Seats that are on sale would vanish: {', '.join(slugs)}."
        yield Refusal(code=RefusalCode.SEATS_WOULD_VANISH, text=text, slugs=slugs)


def check_course(
    *,
    old: CourseType | None,
    new: CourseType,
    entitlements: Collection[str],
    published: bool,
    run_types: Collection[str] = (),
    org: str | None = None,
) -> Transition:
    """Say whether a course may go from one type to another, and what that adds or would take away.

    `entitlements` are those that the course has. `run_types` are those of its runs: of a published course each has to
    stay possible. `org` None = not asked about.
    """
    effects = _entitlement_effects(entitlements, new)
    if old is not None and old.slug == new.slug:
        return Transition(reasons=(), effects=effects)
    reasons = [*_course_type_refusals(new, org)]
    if published:
        reasons += [*_entitlement_refusals(effects), *_run_refusals(new, run_types)]
    return Transition(reasons=tuple(reasons), effects=effects)


def _entitlement_effects(entitlements: Collection[str], new: CourseType) -> Effects:
    # An entitlement to audit is none: there is nothing that it would give.
    has = frozenset(entitlements) - {AUDIT}
    will_have = frozenset(new.entitlement_types) - {AUDIT}
    return Effects(products_added=will_have - has, products_vanishing=has - will_have)


def _course_type_refusals(new: CourseType, org: str | None) -> Iterator[Refusal]:
    if new.is_retired:
        yield _retired(new)
    if org is not None and not new.allows_org(org):
        text = f"Courses of {org} may not have the type {new.slug}."
        yield Refusal(code=RefusalCode.ORG_NOT_ALLOWED, text=text, slugs=(new.slug,))


def _run_refusals(new: CourseType, run_types: Collection[str]) -> Iterator[Refusal]:
    slugs = tuple(sorted({slug for slug in run_types if not new.allows_run_type(slug)}))
    if slugs:
        text = f"A course of the type {new.slug} has no runs of the types that its runs have: {', '.join(slugs)}."
        yield Refusal(code=RefusalCode.RUNS_NOT_ALLOWED, text=text, slugs=slugs)


def _entitlement_refusals(effects: Effects) -> Iterator[Refusal]:
    """Refuse every change of the entitlement but from none to verified."""
    if effects.products_vanishing or effects.products_added - {VERIFIED}:
        slugs = tuple(sorted(effects.products_vanishing | effects.products_added))
        text = (
            f"A published course keeps its entitlement, or gets its first, to verified. Concerned: {', '.join(slugs)}."
        )
        yield Refusal(code=RefusalCode.ENTITLEMENT_WOULD_CHANGE, text=text, slugs=slugs)
