"""What intentions, and keys that may become some, stand for, told to people: the run, its modes, what a newcomer would
get, and what to mind. The one room that says whether a key is known."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.content_metadata.domain import (
    Resolution,
    Resolved,
    Unresolved,
    UnresolvedReason,
    content_type_of,
    course_key_of_run,
)
from enterprise_access.apps.content_metadata.errors import MalformedContentKey
from enterprise_access.apps.content_metadata.selectors import (
    Content,
    KnownModes,
    fetch_content,
    list_known_modes,
    with_other_evidence,
)
from enterprise_access.apps.content_metadata.services import refresh_modes
from enterprise_access.apps.default_enrollments.domain.decision import blocking_reasons, decide
from enterprise_access.apps.default_enrollments.domain.values import Reason, Verdict
from enterprise_access.apps.default_enrollments.errors import ContentUnknown
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.apps.default_enrollments.selectors.intentions import find_twins
from enterprise_access.apps.default_enrollments.services.health.verdicts import case_of_newcomer
from enterprise_access.lib import clock
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.http import deadline
from enterprise_access.lib.keys import fold, same_key

Found = TypeVar("Found")


@frozen(kw_only=True)
class Description:
    """What one intention stands for at `now`.

    `modes` None: not known yet. `verdict` is about a linked learner who has nothing yet; `warnings` are all reasons why
    such a learner would not be enrolled as things are.
    """

    intention: Intention
    content: Content
    modes: KnownModes | None
    verdict: Verdict
    warnings: tuple[Reason, ...]
    now: datetime

    @property
    def is_checked(self) -> bool:
        """Whether the catalog service has answered for the key at all."""
        return self.content.fetched_at is not None


@frozen(kw_only=True)
class Preview:
    """What a key would stand for, its intention being one that is not saved, in the catalog's spelling.

    `twin` is the customer's intention that has the key already (deleted or not), if any.
    """

    description: Description
    twin: Intention | None


# --- What is saved -----------------------------------------------------------------------------------------------


def describe_all(intentions: Iterable[Intention]) -> list[Description]:
    """Describe intentions of one customer, in their order, from copies of the content that are young enough or else
    refreshed. A silent catalog service makes them unchecked."""
    rows = list(intentions)
    if not rows:
        return []
    contents = fetch_content(customer_uuid=rows[0].customer_id, content_keys=[row.content_key for row in rows])
    return _describe(rows, contents)


def describe(intention: Intention, content: Content) -> Description:
    """Describe an intention whose content is at hand."""
    return _describe([intention], {fold(intention.content_key): content})[0]


def _describe(intentions: list[Intention], contents: Mapping[str, Content]) -> list[Description]:
    now = clock.now()
    modes = list_known_modes([content.resolution for content in contents.values()], now=now)
    return [_describe_one(row, contents[fold(row.content_key)], modes, now) for row in intentions]


def _describe_one(
    intention: Intention, content: Content, modes: Mapping[str, KnownModes], now: datetime
) -> Description:
    known = modes.get(fold(content.run.key)) if content.run else None
    case = case_of_newcomer(intention, content, known)
    verdict = decide(case, now=now)
    return Description(
        intention=intention,
        content=content,
        modes=known,
        verdict=verdict,
        warnings=blocking_reasons(case, verdict, now=now),
        now=now,
    )


# --- What may be saved -------------------------------------------------------------------------------------------


def check_key(*, customer_uuid: UUID, content_key: str) -> Content:
    """Return what a key stands for. Nothing is saved.

    Raises MalformedContentKey, and ContentUnknown for a key that no catalog record anywhere answers to. Whatever
    else is wrong may be right tomorrow (catalogs replicate late), and is a warning.
    """
    return _only(_check_keys(customer_uuid, {fold(content_key): content_key.strip()}))


def preview_key(*, customer_uuid: UUID, content_key: str, ask_for_modes: bool) -> Preview:
    """Say what one key would stand for (see `preview_keys`). Raises what `check_key` raises."""
    return _only(preview_keys(customer_uuid=customer_uuid, content_keys=[content_key], ask_for_modes=ask_for_modes))


def preview_keys(
    *, customer_uuid: UUID, content_keys: Iterable[str], ask_for_modes: bool = False
) -> dict[str, Preview | ServiceError]:
    """Say, by folded key, what each would stand for, or what `check_key` would raise. Nothing is saved.

    The content of all keys is requested at once. Modes that are not stored are asked for on demand only: the LMS allows
    few such reads a minute. Without them, other evidence tells what it can. The upstream services share one budget.
    """
    keys = {fold(key): key.strip() for key in content_keys}
    with deadline(time.monotonic() + settings.CONTENT_BUDGET_SECONDS):
        found = _check_keys(customer_uuid, keys)
        contents = {folded: content for folded, content in found.items() if isinstance(content, Content)}
        modes = _modes_of(contents.values(), ask=ask_for_modes)
    twins = find_twins(customer_uuid=customer_uuid, content_keys=contents)
    now = clock.now()
    previews = {
        folded: Preview(
            description=_describe_one(_unsaved(customer_uuid, keys[folded], content), content, modes, now),
            twin=twins.get(folded),
        )
        for folded, content in contents.items()
    }
    faults = {folded: fault for folded, fault in found.items() if isinstance(fault, ServiceError)}
    return {**previews, **faults}


def spelling_of(content_key: str, content: Content) -> str:
    """Return the key as the catalog spells it, where that is known, and else as it was typed."""
    if not isinstance(content.resolution, Resolved):
        return content_key.strip()
    known = (content.resolution.course.key, content.resolution.run.key)
    return next((key for key in known if same_key(key, content_key)), content_key.strip())


def _unsaved(customer_uuid: UUID, content_key: str, content: Content) -> Intention:
    return Intention(
        customer_id=customer_uuid,
        content_key=spelling_of(content_key, content),
        content_type=content_type_of(content_key).value,
    )


def _check_keys(customer_uuid: UUID, content_keys: Mapping[str, str]) -> dict[str, Content | ServiceError]:
    """Say what keys stand for, or what is wrong with them, given and returned by folded key."""
    malformed = {folded: fault for folded, key in content_keys.items() if (fault := _fault_in(key)) is not None}
    contents = fetch_content(customer_uuid=customer_uuid, content_keys=content_keys.keys() - malformed.keys())
    unknown = [folded for folded, content in contents.items() if _is_unknown(content.resolution)]
    courses = _courses_that_list(customer_uuid, unknown)
    refused = {folded: _as_unknown(content_keys[folded], courses.get(folded)) for folded in unknown}
    return {**contents, **malformed, **refused}


def _courses_that_list(customer_uuid: UUID, unknown: Iterable[str]) -> dict[str, str]:
    """Return, of runs without a record of their own, the key of the course whose record lists them, by folded key.

    An enterprise-catalog whose queries name courses only has no records of runs at all.
    """
    courses = {folded: course for folded in unknown if (course := course_key_of_run(folded))}
    if not courses:
        return {}
    contents = fetch_content(customer_uuid=customer_uuid, content_keys=set(courses.values()))
    found = {folded: contents[fold(course)].resolution.course for folded, course in courses.items()}
    return {
        folded: course.key
        for folded, course in found.items()
        if course is not None and any(same_key(run.key, folded) for run in course.runs)
    }


def _as_unknown(content_key: str, course_key: str | None) -> ContentUnknown:
    if course_key is None:
        return ContentUnknown(f"No course or run with the key {content_key!r} is known. Check the spelling.")
    return ContentUnknown(
        f"The catalog lists {content_key!r} as a run of {course_key}, but has no record of its own for it. Use the key "
        "of the course, or let the catalog query include course runs.",
        extra={"course_key": course_key},
    )


def _fault_in(content_key: str) -> ServiceError | None:
    try:
        content_type_of(content_key)
    except MalformedContentKey as error:
        return error
    return None


def _is_unknown(resolution: Resolution) -> bool:
    return isinstance(resolution, Unresolved) and resolution.reason is UnresolvedReason.CONTENT_NOT_FOUND


def _modes_of(contents: Iterable[Content], *, ask: bool) -> dict[str, KnownModes]:
    resolutions = [content.resolution for content in contents]
    if not ask:
        return list_known_modes(resolutions, now=clock.now())
    runs = [found.run.key for found in resolutions if isinstance(found, Resolved)]
    return with_other_evidence(refresh_modes(course_run_keys=runs, can_wait=len(runs) > 1), resolutions)


def _only(found: Mapping[str, Found | ServiceError]) -> Found:
    """Return what was found for the one key that was requested, or raise what is wrong with it."""
    (one,) = found.values()
    if isinstance(one, ServiceError):
        raise one
    return one
