"""Types as flat rows, for people who work with data: one row for each course type, run type and track."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.values import CourseType, RunType, Track

# The columns, in their order: stable, since reports are made of them.
COLUMNS: Final = (
    "course_type",
    "course_type_name",
    "course_type_is_retired",
    "entitlement_type",
    "course_run_type",
    "course_run_type_name",
    "course_run_type_is_retired",
    "is_marketable",
    "mode",
    "mode_name",
    "lms_mode",
    "seat_type",
    "is_id_verified",
    "is_credit_eligible",
    "certificate_type",
    "is_audit",
    "payee",
    "paid_to_platform",
    "paid_to_partner",
)
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def flat_rows(graph: TypeGraph) -> Iterator[dict[str, Any]]:
    """Yield a row for each course type, run type and track; one that has none has one row, with nulls."""
    for course_type in graph.matching_order:
        run_types: Iterable[RunType | None] = [graph.run_type(slug) for slug in course_type.run_types] or [None]
        for run_type in run_types:
            tracks: Iterable[Track | None] = run_type.tracks if run_type and run_type.tracks else [None]
            for track in tracks:
                yield _row(course_type, run_type, track)


def _row(course_type: CourseType, run_type: RunType | None, track: Track | None) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(COLUMNS)
    values |= {
        "course_type": course_type.slug,
        "course_type_name": course_type.name,
        "course_type_is_retired": course_type.is_retired,
        "entitlement_type": next(iter(course_type.entitlement_types), None),
    }
    if run_type is not None:
        values |= {
            "course_run_type": run_type.slug,
            "course_run_type_name": run_type.name,
            "course_run_type_is_retired": run_type.is_retired,
            "is_marketable": run_type.is_marketable,
        }
    if track is not None:
        values |= {
            "mode": track.mode.slug,
            "mode_name": track.mode.name,
            "lms_mode": track.lms_mode,
            "seat_type": track.seat_type.slug if track.seat_type else None,
            "is_id_verified": track.mode.is_id_verified,
            "is_credit_eligible": track.mode.is_credit_eligible,
            "certificate_type": track.mode.certificate_type or None,
            "is_audit": track.mode.is_audit,
            "payee": track.mode.payee or None,
            "paid_to_platform": track.paid_to_platform,
            "paid_to_partner": track.paid_to_partner,
        }
    return values


def as_csv(rows: Iterable[dict[str, Any]]) -> str:
    """Return rows as CSV with a line of headings: true and false in lower case, null as nothing."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[column]) for column in COLUMNS] for row in rows)
    return file.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
