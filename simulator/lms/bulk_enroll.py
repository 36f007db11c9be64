"""The LMS's bulk enrollment call: `enroll_learners_in_courses`. Partial success answers 409; a run unknown to the LMS
is a 500 for the whole call."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from attrs import frozen
from flask import Response

from .. import enrolling
from ..answers import UUID_PATTERN, Abort, answer, crash
from ..tables import fold
from ..values import Customer, PendingEnrollment, Run, User
from ..world import World

RUN_KEY = re.compile(r"course-v1:[^/+\s]+\+[^/+\s]+\+[^/+\s]+")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
Outcome = dict[str, list[Any]]


class _Crash(Exception):
    """A value that the LMS does not check before it works with it."""


@frozen(kw_only=True)
class Item:
    """One enrollment to make, as the caller wrote it."""

    user_id: int | None
    email: str | None
    course_run_key: str
    license_uuid: str | None
    transaction_id: str | None
    is_forced: bool


def enroll(world: World, *, owner: Customer, body: Any) -> Response:
    """Enroll what `body` names; the answer tells successes, pending ones and failures."""
    items = _items(body)
    try:
        if not world.quirks.keeps_work_before_crash:
            for item in items:
                _check_for_crash(world, item)
        outcome = _enroll_all(world, owner=owner, items=items)
    except _Crash:
        return crash()
    return answer(outcome, _status(outcome))


def _status(outcome: Outcome) -> int:
    if outcome["failures"] or "invalid_user_ids" in outcome or "invalid_email_addresses" in outcome:
        return 409
    return 202 if outcome["pending"] else 201


def _enroll_all(world: World, *, owner: Customer, items: list[Item]) -> Outcome:
    outcome: Outcome = {"successes": [], "pending": [], "failures": []}
    for item in items:
        _check_for_crash(world, item)
        user = _user_of(world, item)
        if user is not None:
            _enroll_one(world, owner=owner, item=item, user=user, outcome=outcome)
        elif item.user_id is not None:
            outcome.setdefault("invalid_user_ids", []).append(item.user_id)
        elif not EMAIL.fullmatch(item.email or ""):
            outcome.setdefault("invalid_email_addresses", []).append(item.email)
        else:
            _promise(world, owner=owner, item=item, outcome=outcome)
    return outcome


def _enroll_one(world: World, *, owner: Customer, item: Item, user: User, outcome: Outcome) -> None:
    """Link, enroll at the platform, write the enterprise row: a refusal keeps what was done before it."""
    run = world.run(item.course_run_key)
    row = {"user_id": user.id, "email": user.email, "course_run_key": item.course_run_key}
    link = enrolling.link(world, user=user, customer_uuid=owner.uuid, make_active=True)
    try:
        enrolling.enroll_in_best_mode(world, user=user, run=run, is_forced=item.is_forced)
        enterprise = enrolling.write_enterprise_enrollment(
            world,
            link=link,
            run_key=run.key,
            license_uuid=_uuid(item.license_uuid),
            transaction_id=_uuid(item.transaction_id),
        )
    except enrolling.Refused:
        outcome["failures"].append(row)
        return
    fulfillment = str(enterprise.fulfillment_uuid)
    more = {"created": True, "activation_link": None, "enterprise_fulfillment_source_uuid": fulfillment}
    outcome["successes"].append(row | more)


def _promise(world: World, *, owner: Customer, item: Item, outcome: Outcome) -> None:
    run, email = world.run(item.course_run_key), item.email or ""
    world.put("enrollment pending", PendingEnrollment(customer_uuid=owner.uuid, email=email, run_key=run.key))
    row = {"email": email, "course_run_key": item.course_run_key, "created": True, "activation_link": None}
    outcome["pending"].append(row)


def _user_of(world: World, item: Item) -> User | None:
    """Return the user that the item means; the id wins over the address."""
    if item.user_id is not None:
        return world.tables.users.first(id=item.user_id)
    return world.tables.users.first(email=fold(item.email or ""))


def _check_for_crash(world: World, item: Item) -> None:
    run: Run | None = world.tables.runs.get(fold(item.course_run_key))
    if not RUN_KEY.fullmatch(item.course_run_key) or run is None or not run.is_in_lms:
        raise _Crash
    for text in (item.license_uuid, item.transaction_id):
        if text is not None and not UUID_PATTERN.fullmatch(text):
            raise _Crash


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


# -- what the serializer refuses --------------------------------------------------------------------------------------


def _items(body: Any) -> list[Item]:
    """Return the items, or abort with the serializer's 400. Nothing has happened then."""
    if not isinstance(body, dict):
        raise Abort(_refusal({"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}))
    name = "licenses_info" if "licenses_info" in body else "enrollments_info"
    if "licenses_info" in body and "enrollments_info" in body:
        text = "`licenses_info` must be ommitted if `enrollments_info` is present."
        raise Abort(_refusal({"non_field_errors": [text]}))
    raw = body.get(name)
    if not raw:
        raise Abort(_refusal({"non_field_errors": ["Must include the `enrollment_info` parameter in request."]}))
    if not isinstance(raw, list):
        raise Abort(_refusal({name: [f'Expected a list of items but got type "{type(raw).__name__}".']}))
    errors = [_errors_of(item) for item in raw]
    if any(errors):
        raise Abort(_refusal({name: errors}))
    return [_item(item) for item in raw]


def _item(raw: dict[str, Any]) -> Item:
    user_id = raw.get("user_id")
    return Item(
        user_id=int(user_id) if user_id is not None else None,
        email=raw.get("email"),
        course_run_key=str(raw["course_run_key"]),
        license_uuid=_text(raw.get("license_uuid")),
        transaction_id=_text(raw.get("transaction_id")),
        is_forced=bool(raw.get("force_enrollment")),
    )


def _errors_of(raw: Any) -> dict[str, list[str]]:
    if not isinstance(raw, dict):
        return {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {type(raw).__name__}."]}
    fields: dict[str, list[str]] = {}
    if not raw.get("course_run_key"):
        fields["course_run_key"] = ["This field is required."]
    if raw.get("user_id") is not None and not re.fullmatch(r"-?\d+", str(raw["user_id"])):
        fields["user_id"] = ["A valid integer is required."]
    return fields or _contradictions(raw)


def _contradictions(raw: dict[str, Any]) -> dict[str, list[str]]:
    if raw.get("user_id") is None and not raw.get("email"):
        text = "At least one user identifier field [user_id or email] required."
    elif raw.get("license_uuid") and raw.get("transaction_id"):
        text = "Enrollment info contains conflicting subsidy information: `license_uuid` and `transaction_id` found"
    elif not raw.get("license_uuid") and not raw.get("transaction_id"):
        text = "At least one subsidy info field [license_uuid or transaction_id] required."
    else:
        return {}
    return {"non_field_errors": [text]}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _refusal(body: dict[str, Any]) -> Response:
    return answer(body, 400)
