"""The plan for one learner of one customer: every intention decided, in the order that [D6] needs."""

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from attrs import evolve

from enterprise_access.apps.default_enrollments.domain.case_view import belongs_to_course
from enterprise_access.apps.default_enrollments.domain.decision import decide
from enterprise_access.apps.default_enrollments.domain.values import Case, Verdict

Key = TypeVar("Key", bound=Hashable)


def decide_all(
    cases: Mapping[Key, Case], *, now: datetime, decided: Mapping[Key, Verdict] = MappingProxyType({})
) -> dict[Key, Verdict]:
    """Decide all intentions of one learner and one customer, in the order given.

    Run intentions come first, so that a course intention knows whether one of them serves its course already.
    `decided` are verdicts that `decide` has given for the very same cases.
    """
    runs = {
        key: decided.get(key) or decide(case, now=now) for key, case in cases.items() if not case.is_course_intention
    }
    serving = [cases[key] for key, verdict in runs.items() if not verdict.is_skip]
    verdicts = dict(runs)
    for key, case in cases.items():
        if not case.is_course_intention:
            continue
        covered = _with_cover(case, serving)
        verdicts[key] = (decided.get(key) if covered is case else None) or decide(covered, now=now)
    return {key: verdicts[key] for key in cases}


def _with_cover(case: Case, serving: Iterable[Case]) -> Case:
    if not any(_is_of_same_course(case, run) for run in serving):
        return case
    return evolve(case, is_covered_in_plan=True)


def _is_of_same_course(course: Case, run: Case) -> bool:
    return belongs_to_course(course, course_key=run.course, course_run_key=run.content_key)
