"""The named world's courses: one for every state that the rules distinguish, and ordinary ones to fill the shelves.

Instants are offsets from the day of the seed, so that "open", "closed" and "not yet" stay true.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from .values import EXECUTIVE_EDUCATION, Mode, Seat, uuid_for
from .world import World

PROGRAM = UUID("5e7d0000-0000-4000-8000-0000000000f1")

# Ordinary courses: one advertised, open run with audit and verified.
OPEN_COURSES = (
    ("AdelaideX+Project101x", "Introduction to Project Management", "Business & Management"),
    ("LinuxFoundationX+LFS101x", "Introduction to Linux", "Computer Science"),
    ("WageningenX+NUTR101x", "Nutrition and Health", "Health & Safety"),
    ("TUMx+AUTO1", "Automotive Engineering in Practice", "Engineering"),
    ("BUx+SUPPLY1", "Supply Chain Basics", "Business & Management"),
    ("KIx+STATS1", "Explore Statistics with R", "Data Analysis & Statistics"),
    ("IBM+DS0101EN", "Introduction to Data Science", "Data Analysis & Statistics"),
    ("MicrosoftX+CLOUD1", "Cloud Foundations", "Computer Science"),
    ("UBCx+HTC1", "How to Code: Simple Data", "Computer Science"),
    ("CornellX+HOSP1", "Leading Hospitality Teams", "Business & Management"),
)


def add_content(world: World) -> None:
    """Add every course, run and program."""
    for key, title, subject in OPEN_COURSES:
        world.add_course(key=key, title=title, subject=subject)
        world.add_run(key=_run(key, "2026_T1"), upgrade_deadline=_day(world, 300))
    _add_courses_with_several_runs(world)
    _add_courses_closed_by_dates(world)
    _add_courses_with_unusual_modes(world)
    _add_courses_with_unusual_records(world)
    world.add_program(uuid=PROGRAM, title="Applied Python")


def _add_courses_with_several_runs(world: World) -> None:
    key = "edX+DemoX"
    world.add_course(key=key, title="edX Demonstration Course", has_reviews=True)
    past: dict[str, Any] = {"start": _day(world, -700), "end": _day(world, -500), "upgrade_deadline": _day(world, -510)}
    world.add_run(key=_run(key, "2024_T1"), advertise=False, **past)
    world.add_run(key=_run(key, "2026_T1"), enrollment_start=_day(world, -120), upgrade_deadline=_day(world, 400))
    world.add_run(
        key=_run(key, "2036_T1"),
        advertise=False,
        start=_day(world, 3400),
        end=_day(world, 3700),
        enrollment_start=_day(world, 3300),
        enrollment_end=_day(world, 3650),
    )
    key = "EPFLx+Scala"
    world.add_course(key=key, title="Functional Programming in Scala")
    world.add_run(key=_run(key, "2026_A"))
    world.add_run(key=_run(key, "2026_B"))
    key = "MITx+6.00.1x"
    world.add_course(key=key, title="Introduction to Computer Science and Programming")
    world.add_run(
        key=_run(key, "1T2025"), advertise=False, status="unpublished", is_marketable=False, end=_day(world, -90)
    )
    world.add_run(key=_run(key, "1T2034"), advertise=False, status="reviewed", is_marketable=False)
    key = "edX+OLD101"
    world.add_course(key=key, title="A Retired Course")
    world.add_run(key=_run(key, "2023"), advertise=False, start=_day(world, -1100), end=_day(world, -900))


def _add_courses_closed_by_dates(world: World) -> None:
    one_run: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("BerkeleyX+CS188.1x", "Artificial Intelligence", {"enrollment_end": _day(world, -20)}),
        ("DelftX+WATER1", "Drinking Water Treatment", {"enrollment_start": _day(world, 30)}),
        ("RiceX+ELEC301", "Discrete Time Signals and Systems", {"end": _day(world, -10)}),
        ("KyotoX+CHEM1", "The Chemistry of Life", {"status": "unpublished", "is_marketable": False}),
        ("ANUx+ASTRO1", "Greatest Unsolved Mysteries of the Universe", {"is_invitation_only": True}),
        ("UTAustinX+FULL1", "Sound Design for Beginners", {"is_full": True}),
        ("SorbonneX+SNAP1", "European Cities Today", {"is_enrollable": False}),
    )
    for key, title, about in one_run:
        world.add_course(key=key, title=title)
        world.add_run(key=_run(key, "2026"), **about)


def _add_courses_with_unusual_modes(world: World) -> None:
    past = _day(world, -5)
    verified = Seat(type="verified", price_cents=14_900)
    deadline_passed = Seat(type="verified", price_cents=14_900, upgrade_deadline=past)
    audit = Seat(type="audit", price_cents=0)
    expired = (Mode(slug="audit", price=0), Mode(slug="verified", price=149, expires_at=past))
    rows: tuple[tuple[str, str, str, tuple[Seat | str, ...], tuple[Mode | str, ...] | None], ...] = (
        ("HarvardX+CS50", "Computer Science for Everyone", "audit", ("audit",), None),
        ("MichiganX+PY101", "Python for Everybody", "verified-audit", (audit, deadline_passed), ("audit", "verified")),
        ("ColumbiaX+BUS5", "Corporate Finance", "verified-audit", (audit, verified), expired),
        ("WhartonX+FIN1", "Finance for Professionals", "professional", ("professional",), None),
        ("GTx+CSE6040", "Computing for Data Analysis", "professional", ("no-id-professional",), None),
        ("TsinghuaX+ENG1", "Academic English", "honor", ("honor",), None),
        ("ImperialX+MATH1", "Mathematics for Machine Learning", "verified", ("verified",), None),
        ("PurdueX+MIX1", "Nanotechnology Sampler", "audit", ("audit",), ("audit", "unpaid-executive-education")),
        ("CaltechX+NOMODE", "The Science of the Solar System", "verified-audit", (audit, verified), ()),
    )
    for key, title, course_type, seats, modes in rows:
        world.add_course(key=key, title=title, course_type=course_type)
        world.add_run(key=_run(key, "2026"), seats=seats, modes=modes)
    key = "GetSmarter+AIB"
    world.add_course(key=key, title="Artificial Intelligence for Business", course_type=EXECUTIVE_EDUCATION)
    world.add_run(
        key=_run(key, "2026_B"),
        seats=("unpaid-executive-education",),
        start=_day(world, 90),
        end=_day(world, 150),
        enrollment_start=_day(world, -60),
        enrollment_end=_day(world, 80),
        fixed_price_cents=275_000,
    )


def _add_courses_with_unusual_records(world: World) -> None:
    world.add_course(key="NewX+FRESH1", title="A Freshly Ingested Course", is_synced=False)
    world.add_run(key=_run("NewX+FRESH1", "2026_T4"), advertise=False)
    world.add_course(key="edX+NORUNS", title="A Course Without Runs")
    world.add_open_course(key="EdinburghX+SUST1", title="Sustainability")
    world.add_open_course(key="StanfordX+ML", title="Machine Learning", run="2026_T3")
    world.add_open_course(key="UQx+THINK101", title="The Science of Everyday Thinking", has_record=False)
    world.add_open_course(key="OxfordX+GHOST1", title="A Run That the LMS Never Heard Of", is_in_lms=False)
    world.add_open_course(key="WasedaX+JPN1", title="Japanese for Everyday Life")
    world.change_course(course_key="WasedaX+JPN1", advertised_run_uuid=uuid_for("run", "of no course"))
    world.add_open_course(key="edX+RestrictX", title="Leadership with Custom Runs", run="2026_T2")
    world.add_run(key=_run("edX+RestrictX", "B2B_2026"), is_restricted=True, advertise=False)
    world.add_course(key="edX+RestrictOnly", title="Negotiation, for One Customer Only")
    world.add_run(key=_run("edX+RestrictOnly", "B2B_2026"), is_restricted=True, advertise=False)


def _day(world: World, days: int) -> datetime:
    """Return midnight, so many days after the seed."""
    return world.seeded_at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)


def _run(course_key: str, name: str) -> str:
    return f"course-v1:{course_key}+{name}"
