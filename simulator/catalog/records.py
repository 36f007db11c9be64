"""The JSON objects of enterprise-catalog: course, run and program records, with what the service computes of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from attrs import frozen

from ..answers import instant
from ..discovery.types import run_type_of
from ..values import EXECUTIVE_EDUCATION, Catalog, Course, Customer, Program, Run, Seat, uuid_for
from . import constants as constant

SEAT_ORDER = ("verified", "professional", "no-id-professional", "unpaid-executive-education", "audit")
PAID = ("verified", "professional", "no-id-professional", "unpaid-executive-education")


@frozen(kw_only=True)
class Reader:
    """For whom a record is rendered: with a customer and a catalog it gets enrollment links."""

    customer: Customer
    catalog: Catalog
    knows_customer: bool = True


# -- courses ----------------------------------------------------------------------------------------------------------


def course_record(course: Course, runs: list[Run], *, now: datetime, reader: Reader | None = None) -> dict[str, Any]:
    """The course with `runs` nested; a course that was just ingested lacks most keys."""
    record = _basic_course(course, runs, now=now)
    if course.is_synced:
        record |= _synced_course(course, runs, now=now)
    if any(run.is_restricted for run in runs):
        record["first_enrollable_paid_seat_price"] = _paid_price(runs[0], now)
    record |= {"parent_content_key": None, "content_last_modified": constant.CONTENT_MODIFIED}
    if reader is not None:
        _add_links_to_course(record, course, runs, reader)
    return record | {"active": _is_active(runs, now) if course.is_synced else False}


def _basic_course(course: Course, runs: list[Run], *, now: datetime) -> dict[str, Any]:
    nested = [_nested_run(course, run, now=now) if course.is_synced else _fresh_run(run, now) for run in runs]
    ends = [run.end for run in runs if run.end]
    is_exec_ed = course.course_type == EXECUTIVE_EDUCATION
    return {
        "aggregation_key": f"course:{course.key}",
        "content_type": "course",
        "full_description": f"<p>{course.title}: all about it.</p>",
        "key": course.key,
        "short_description": f"<p>{course.title}, in short.</p>",
        "title": course.title,
        "card_image_url": None,
        "image_url": _image_url(course),
        "course_runs": nested,
        "uuid": str(course.uuid),
        "seat_types": _seat_types(runs),
        "skill_names": [skill["name"] for skill in constant.SKILLS],
        "skills": constant.SKILLS,
        "end_date": instant(max(ends)) if ends else None,
        "course_ends": "Future" if not ends or max(ends) > now else "Past",
        "subjects": [_subject(course)] if course.is_synced else [course.subject],
        "languages": ["English"],
        "organizations": [f"{course.organization}: {course.organization} University"],
        "course_type": course.course_type,
        "course_length": "short",
        "enterprise_subscription_inclusion": not is_exec_ed,
        "external_course_marketing_type": None,
        "product_source": _product_source(course),
    }


def _synced_course(course: Course, runs: list[Run], *, now: datetime) -> dict[str, Any]:
    advertised = next((run for run in runs if run.uuid == course.advertised_run_uuid), None)
    is_exec_ed = course.course_type == EXECUTIVE_EDUCATION
    record = constant.SYNCED_COURSE | {
        "entitlements": [constant.EXEC_ED_ENTITLEMENT] if is_exec_ed else [],
        "owners": [_owner(course)],
        "image": _image(_image_url(course)),
        "type": str(uuid_for("course type", course.course_type)),
        "url_slug": course.key.lower().replace("+", "-").replace(".", "-"),
        "course_run_statuses": sorted({run.status for run in runs}),
        "marketing_url": f"https://www.example.com/course/{course.key.lower()}",
        "canonical_course_run_key": runs[-1].key if runs else None,
        "additional_metadata": _exec_ed_metadata(advertised) if is_exec_ed else None,
        "course_run_keys": [run.key for run in runs],
        "advertised_course_run_uuid": str(course.advertised_run_uuid) if course.advertised_run_uuid else None,
        "normalized_metadata": normalized(advertised, now),
        "normalized_metadata_by_run": {run.key: normalized(run, now) for run in runs},
    }
    return record | {"reviews_count": 345, "avg_course_rating": 4.6} if course.has_reviews else record


def _add_links_to_course(record: dict[str, Any], course: Course, runs: list[Run], reader: Reader) -> None:
    record["enrollment_url"] = _enrollment_url(course, reader) if reader.knows_customer else None
    record["xapi_activity_id"] = f"http://lms.example.com/xapi/activities/course/{course.key}"
    if "marketing_url" in record:
        record["marketing_url"] += f"?{_campaign(reader)}"
    if reader.knows_customer:
        record["content_last_modified"] = constant.CUSTOMER_MODIFIED
    if course.course_type == EXECUTIVE_EDUCATION or not reader.knows_customer:
        return
    for nested, run in zip(record["course_runs"], runs, strict=True):
        if not run.has_record:
            continue
        nested["parent_content_key"] = course.key
        nested["enrollment_url"] = _enrollment_url(course, reader, run=run)


# -- runs -------------------------------------------------------------------------------------------------------------


def run_record(course: Course, run: Run, *, now: datetime, reader: Reader | None = None) -> dict[str, Any]:
    """The bare run: no uuid, seats or status; the course knows more.

    The record of a restricted run is made from the course's nested run instead, which has no `content_type`.
    """
    if run.is_restricted:
        return _nested_run(course, run, now=now) | {
            "parent_content_key": course.key,
            "content_last_modified": constant.CONTENT_MODIFIED,
        }
    record = constant.RUN_RECORD | {
        "aggregation_key": f"courserun:{course.key}",
        "authoring_organization_uuids": [str(uuid_for("organization", course.organization))],
        "availability": _availability(run, now),
        "end": instant(run.end),
        "enrollment_end": instant(run.enrollment_end),
        "enrollment_start": instant(run.enrollment_start),
        "first_enrollable_paid_seat_sku": _sku(run.key) if _paid_price(run, now) else None,
        "first_enrollable_paid_seat_price": _paid_price(run, now),
        "full_description": f"<p>{course.title}: all about it.</p>",
        "go_live_date": instant(run.enrollment_start),
        "has_enrollable_seats": bool(run.seats),
        "image_url": f"https://www.example.com/media/{run.uuid}.jpg",
        "is_enrollable": _is_enrollable(run, now),
        "key": run.key,
        "logo_image_urls": [_logo(course)],
        "marketing_url": f"https://www.example.com/course/{_slug_of_run(run)}",
        "number": course.key.split("+", 1)[-1],
        "org": course.organization,
        "pacing_type": _pacing(run),
        "published": run.status == "published",
        "seat_types": [seat.type for seat in run.seats],
        "short_description": f"<p>{course.title}, in short.</p>",
        "start": instant(run.start),
        "subject_uuids": [_subject(course)["uuid"]],
        "title": run.title,
        "type": _run_type(run),
        "restriction_type": constant.RESTRICTION if run.is_restricted else None,
        "fixed_price_usd": _dollars(run.fixed_price_cents),
        "parent_content_key": course.key,
    }
    if reader is not None:
        record["marketing_url"] += f"?{_campaign(reader)}"
        record["content_last_modified"] = constant.CUSTOMER_MODIFIED
        record["enrollment_url"] = _enrollment_url(course, reader, run=run) if reader.knows_customer else None
        record["xapi_activity_id"] = f"http://lms.example.com/xapi/activities/courserun/{run.key}"
    return record


def _nested_run(course: Course, run: Run, *, now: datetime) -> dict[str, Any]:
    is_exec_ed = course.course_type == EXECUTIVE_EDUCATION
    record = constant.NESTED_RUN | {
        "key": run.key,
        "uuid": str(run.uuid),
        "title": run.title,
        "external_key": str(run.uuid)[:8] if is_exec_ed else "",
        "fixed_price_usd": _dollars(run.fixed_price_cents),
        "image": _image(f"https://www.example.com/media/{run.uuid}.jpg"),
        "marketing_url": f"https://www.example.com/course/{_slug_of_run(run)}" if run.is_marketable else None,
        "seats": [_seat_record(run, seat) for seat in run.seats],
        "start": instant(run.start),
        "end": instant(run.end),
        "enrollment_start": instant(run.enrollment_start),
        "enrollment_end": instant(run.enrollment_end),
        "pacing_type": _pacing(run),
        "type": _run_type(run),
        "run_type": str(uuid_for("run type", run_type_of(run))),
        "status": run.status,
        "is_enrollable": _is_enrollable(run, now),
        "is_marketable": run.is_marketable and not run.is_restricted,
        "is_marketable_external": run.is_marketable and not run.is_restricted,
        "availability": _availability(run, now),
        "variant_id": str(uuid_for("variant", run.uuid)) if is_exec_ed else None,
        "course": course.key,
        "first_enrollable_paid_seat_price": _paid_price(run, now),
        "course_uuid": str(course.uuid),
    }
    return record | {"restriction_type": constant.RESTRICTION} if run.is_restricted else record


def _fresh_run(run: Run, now: datetime) -> dict[str, Any]:
    """A run of a course that was just ingested: no uuid, no seats, nothing about marketing."""
    return {
        "key": run.key,
        "enrollment_start": instant(run.enrollment_start),
        "enrollment_end": instant(run.enrollment_end),
        "go_live_date": None,
        "start": instant(run.start),
        "end": instant(run.end),
        "modified": constant.MODIFIED,
        "availability": _availability(run, now),
        "status": run.status,
        "pacing_type": _pacing(run),
        "enrollment_mode": _run_type(run),
        "min_effort": 2,
        "max_effort": 6,
        "weeks_to_complete": 8,
        "estimated_hours": 32,
        "first_enrollable_paid_seat_price": _paid_price(run, now),
        "is_enrollable": _is_enrollable(run, now),
        "restriction_type": None,
        "fixed_price_usd": None,
    }


def _seat_record(run: Run, seat: Seat) -> dict[str, Any]:
    return {
        "type": seat.type,
        "price": f"{seat.price_cents / 100:.2f}",
        "currency": "USD",
        "upgrade_deadline": instant(seat.upgrade_deadline),
        "upgrade_deadline_override": instant(seat.upgrade_deadline_override),
        "credit_provider": None,
        "credit_hours": None,
        "sku": _sku(run.key, seat.type),
        "bulk_sku": _sku(run.key, seat.type, "bulk") if seat.type in PAID else None,
    }


# -- programs ---------------------------------------------------------------------------------------------------------


def program_record(program: Program, *, reader: Reader | None = None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "aggregation_key": f"program:{program.uuid}",
        "content_type": "program",
        "uuid": str(program.uuid),
        "title": program.title,
        "subtitle": program.subtitle,
        "type": "MicroMasters",
        "status": "active",
        "marketing_url": f"https://www.example.com/micromasters/{program.title.lower().replace(' ', '-')}",
        "card_image_url": "https://www.example.com/media/p.jpg",
        "language": ["English"],
        "partner": "edx",
        "published": True,
        "authoring_organizations": [{"uuid": str(uuid_for("organization", "edX")), "key": "edX", "name": "edX"}],
        "parent_content_key": None,
        "content_last_modified": constant.CONTENT_MODIFIED,
    }
    if reader is not None:
        record["marketing_url"] += f"?{_campaign(reader)}"
        record |= {"content_last_modified": constant.CUSTOMER_MODIFIED, "enrollment_url": None}
    return record


# -- what the service computes ----------------------------------------------------------------------------------------


def _is_enrollable(run: Run, now: datetime) -> bool:
    """The snapshot of the last sync: the window only. End, status, seats and upgrade deadlines do not count."""
    if run.is_enrollable is not None:
        return run.is_enrollable
    is_open = run.enrollment_start is None or run.enrollment_start <= now
    return is_open and (run.enrollment_end is None or now <= run.enrollment_end)


def _is_active(runs: Iterable[Run], now: datetime) -> bool:
    usable = (run for run in runs if not run.is_restricted)
    return any(_is_enrollable(run, now) and run.status == "published" and run.is_marketable for run in usable)


def is_course_active(course: Course, runs: Iterable[Run], now: datetime) -> bool:
    """Say whether the course is in unfiltered listings; only restricted runs do not make it active."""
    return course.is_synced and _is_active(runs, now)


def _availability(run: Run, now: datetime) -> str:
    if run.end is not None and run.end < now:
        return "Archived"
    return "Upcoming" if run.start is not None and run.start > now else "Current"


def normalized(run: Run | None, now: datetime) -> dict[str, Any]:
    if run is None:
        empty = dict.fromkeys(("start_date", "end_date", "enroll_by_date", "enroll_start_date"))
        return empty | {"content_price": 0.0}
    return {
        "start_date": instant(run.start),
        "end_date": instant(run.end),
        "enroll_by_date": instant(_enroll_by(run)),
        "enroll_start_date": instant(run.enrollment_start),
        "content_price": float((run.fixed_price_cents or 0) / 100 or _paid_price(run, now) or 0.0),
    }


def _enroll_by(run: Run) -> datetime | None:
    """The earlier of the window's end and the best seat's upgrade deadline (an override wins)."""
    best = min(run.seats, key=_seat_rank, default=None)
    deadline = (best.upgrade_deadline_override or best.upgrade_deadline) if best else None
    dates = [at for at in (run.enrollment_end, deadline) if at is not None]
    return min(dates) if dates else None


def _seat_rank(seat: Seat) -> int:
    return SEAT_ORDER.index(seat.type) if seat.type in SEAT_ORDER else len(SEAT_ORDER)


def _paid_price(run: Run, now: datetime) -> int | None:
    """Price of the first paid seat that can still be bought, in whole dollars."""
    for seat in run.seats:
        deadline = seat.upgrade_deadline_override or seat.upgrade_deadline
        if seat.type in PAID and _is_enrollable(run, now) and (deadline is None or deadline > now):
            return seat.price_cents // 100
    return None


def _run_type(run: Run) -> str:
    best = min(run.seats, key=_seat_rank, default=None)
    return best.type if best else "audit"


def _seat_types(runs: list[Run]) -> list[str]:
    return sorted({seat.type for run in runs for seat in run.seats})


# -- links and small parts --------------------------------------------------------------------------------------------


def _enrollment_url(course: Course, reader: Reader, *, run: Run | None = None) -> str:
    campaign = _campaign(reader)
    if not reader.customer.has_learner_portal:
        query = f"audit=true&catalog={reader.catalog.uuid}&{campaign}"
        what = run.key if run else course.key
        return f"http://lms.example.com/enterprise/{reader.customer.uuid}/course/{what}/enroll/?{query}"
    kind = f"{EXECUTIVE_EDUCATION}/" if course.course_type == EXECUTIVE_EDUCATION else ""
    query = f"course_run_key={quote(run.key, safe='')}&{campaign}" if run else campaign
    return f"https://enterprise.example.com/{reader.customer.slug}/{kind}course/{course.key}?{query}"


def _campaign(reader: Reader) -> str:
    return f"utm_medium=enterprise&utm_source={reader.customer.slug}"


def _sku(*parts: str) -> str:
    return uuid_for("sku", *parts).hex[:7].upper()


def _slug_of_run(run: Run) -> str:
    return run.key.removeprefix("course-v1:").lower().replace("+", "-")


def _dollars(cents: int | None) -> str | None:
    return None if cents is None else f"{cents / 100:.2f}"


def _pacing(run: Run) -> str:
    return "self_paced" if run.is_self_paced else "instructor_paced"


def _image_url(course: Course) -> str:
    return f"https://www.example.com/media/course/image/{course.uuid}.small.jpg"


def _image(src: str) -> dict[str, Any]:
    return {"src": src, "description": None, "height": None, "width": None}


def _logo(course: Course) -> str:
    return f"https://www.example.com/media/organization/logos/{course.organization.lower()}.png"


def _subject(course: Course) -> dict[str, Any]:
    name, slug = course.subject, course.subject.lower().replace(" ", "-")
    about = dict.fromkeys(("subtitle", "description", "banner_image_url", "card_image_url"))
    return {"name": name} | about | {"slug": slug, "uuid": str(uuid_for("subject", slug))}


def _product_source(course: Course) -> dict[str, Any]:
    if not course.is_synced:
        return {"name": "edx", "slug": None, "description": None}
    if course.course_type == EXECUTIVE_EDUCATION:
        return {"name": "2U", "slug": "2u", "description": "An external source of courses and programs"}
    return {"name": "edX", "slug": "edx", "description": "edX"}


def _owner(course: Course) -> dict[str, Any]:
    name = course.organization
    return constant.OWNER | {
        "uuid": str(uuid_for("organization", name)),
        "key": name,
        "name": f"{name} University",
        "logo_image_url": _logo(course),
        "marketing_url": f"https://www.example.com/school/{name.lower()}",
        "slug": name.lower(),
    }


def _exec_ed_metadata(run: Run | None) -> dict[str, Any]:
    return constant.EXEC_ED_METADATA | {
        "start_date": instant(run.start) if run else None,
        "end_date": instant(run.end) if run else None,
        "registration_deadline": instant(run.enrollment_end) if run else None,
        "variant_id": str(uuid_for("variant", run.uuid)) if run else None,
    }
