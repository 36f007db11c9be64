"""Putting the packaged rows into the tables, and taking them out again. Shared by the migrations that do it.

What is there already, by its slug, stays as it is. What something else has stays when the migration is undone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Max, ProtectedError

from enterprise_access.apps.course_types.domain.seeds import Origin, seed_rows

OUR_COLUMNS = ("is_audit", "enroll_rank", "has_upgrade_deadline")
MODE_COLUMNS = ("name", "is_id_verified", "is_credit_eligible", "certificate_type", "payee", *OUR_COLUMNS)


def seed(apps: Any, origin: Origin) -> None:
    """Add the rows of one origin."""
    _Seeding(apps, origin).run()


def unseed(apps: Any, origin: Origin) -> None:
    """Delete the rows of one origin that nothing else has."""
    rows = seed_rows(origin)
    for model, section in (
        ("CourseType", "course_types"),
        ("CourseRunType", "course_run_types"),
        ("SeatType", "seat_types"),
        ("Mode", "modes"),
    ):
        slugs = [row["slug"] for row in rows[section]]
        table = apps.get_model("course_types", model)
        if model == "SeatType":
            _delete_unused(apps.get_model("course_types", "Track").objects.filter(links=None))
        _delete_unused(table.objects.filter(origin=origin.value, slug__in=slugs))


def _delete_unused(rows: Iterable[Any]) -> None:
    for row in rows:
        try:
            row.delete()
        except ProtectedError:
            continue


class _Seeding:
    def __init__(self, apps: Any, origin: Origin) -> None:
        self.tables = {
            name: apps.get_model("course_types", name).objects
            for name in (
                "SeatType",
                "Mode",
                "Track",
                "CourseRunType",
                "CourseRunTypeTrack",
                "CourseType",
                "CourseTypeRunType",
            )
        }
        self.origin = origin.value
        self.rows = seed_rows(origin)

    def run(self) -> None:
        for row in self.rows["seat_types"]:
            self._add("SeatType", row, ("name",))
        for row in self.rows["modes"]:
            self._add("Mode", row, MODE_COLUMNS)
        for row in self.rows["course_run_types"]:
            self._add_run_type(row)
        for row in self.rows["course_types"]:
            self._add_course_type(row)

    def _add(self, table: str, row: Mapping[str, Any], columns: tuple[str, ...], **others: Any) -> tuple[Any, bool]:
        values = {column: row[column] for column in columns if column in row}
        found: tuple[Any, bool] = self.tables[table].get_or_create(
            slug=row["slug"], defaults={**values, **others, "origin": self.origin}
        )
        return found

    def _add_run_type(self, row: Mapping[str, Any]) -> None:
        run_type, is_new = self._add("CourseRunType", row, ("name", "is_marketable"))
        if not is_new:
            return
        for place, track in enumerate(row["tracks"]):
            self.tables["CourseRunTypeTrack"].create(run_type=run_type, track=self._track(track), place=place)

    def _track(self, row: Mapping[str, Any]) -> Any:
        mode = self.tables["Mode"].get(slug=row["mode"])
        seat_type = self.tables["SeatType"].get(slug=row["seat_type"]) if row["seat_type"] else None
        key = seat_type.pk if seat_type else 0
        return self.tables["Track"].get_or_create(mode=mode, seat_key=key, defaults={"seat_type": seat_type})[0]

    def _add_course_type(self, row: Mapping[str, Any]) -> None:
        entitlement = self.tables["SeatType"].filter(slug__in=row["entitlement_types"]).first()
        last = self.tables["CourseType"].aggregate(last=Max("rank"))["last"]
        course_type, is_new = self._add(
            "CourseType",
            row,
            ("name",),
            entitlement_type=entitlement,
            org_allow_list=row["white_listed_orgs"],
            rank=0 if last is None else last + 1,
        )
        if not is_new:
            return
        for place, slug in enumerate(row["course_run_types"]):
            run_type = self.tables["CourseRunType"].get(slug=slug)
            self.tables["CourseTypeRunType"].create(course_type=course_type, run_type=run_type, place=place)
