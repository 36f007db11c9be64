"""Migrating an installation with data, from the tables of the first release to those of today, loses nothing.

Rows are made for every table of every app that was there then, with a value in every column; afterwards each row must
be there with the same values. The database matrix runs this on every database.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor

OURS = ("content_metadata", "core", "customers", "default_enrollments", "events")
FIRST = [(label, "0001_initial") for label in OURS]
# Columns that a later migration took away or changed on purpose, as "app.model.column", each with the reason.
GIVEN_UP: dict[str, str] = {}
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture
def migrated_back(transactional_db):
    """Go back to the tables of the first release; forward again at the end, whatever happened."""
    executor = MigrationExecutor(connection)
    head = executor.loader.graph.leaf_nodes()
    # Apps that came later stand on these tables: they go first.
    later = [(label, None) for label, _ in head if label not in OURS and _is_ours(executor, label)]
    executor.migrate([*later, *FIRST])
    yield MigrationExecutor(connection).loader.project_state(FIRST).apps
    MigrationExecutor(connection).migrate(head)


def _is_ours(executor: MigrationExecutor, label: str) -> bool:
    migrations = [migration for (app, _), migration in executor.loader.disk_migrations.items() if app == label]
    return any(type(migration).__module__.startswith("enterprise_access.") for migration in migrations)


def test_every_row_and_every_value_is_still_there(migrated_back):
    rows = _fill(migrated_back)
    executor = MigrationExecutor(connection)
    head = executor.loader.graph.leaf_nodes()
    executor.migrate(head)
    today = MigrationExecutor(connection).loader.project_state(head).apps
    assert rows
    lost = [problem for (label, pk), values in rows.items() for problem in _what_is_lost(today, label, pk, values)]
    assert lost == []


@pytest.mark.django_db
def test_what_is_given_up_was_there_once():
    """The list above can only name columns of the first release."""
    first = MigrationExecutor(connection).loader.project_state(FIRST).apps
    known = {f"{model._meta.label_lower}.{column.column}" for model in _models(first) for column in _columns(model)}
    assert set(GIVEN_UP) <= known


def _models(apps: Any) -> list[type[models.Model]]:
    return [model for label in OURS for model in apps.get_app_config(label).get_models()]


def _columns(model: type[models.Model]) -> list[Any]:
    return list(model._meta.concrete_fields)


def _fill(apps: Any) -> dict[tuple[str, Any], dict[str, Any]]:
    """Make two rows for each table, parents first, and return the values of each as the database gives them back."""
    made: dict[type[models.Model], list[models.Model]] = {}
    waiting = _models(apps)
    while waiting:
        ready = [model for model in waiting if _parents(model) - {model} <= made.keys() | _foreign(model, waiting)]
        assert ready, f"no order among {waiting}"
        for model in ready:
            made[model] = [_make(model, made, number) for number in (1, 2)]
        waiting = [model for model in waiting if model not in ready]
    return {
        (model._meta.label_lower, row.pk): _stored(model, row.pk) or {} for model, rows in made.items() for row in rows
    }


def _parents(model: type[models.Model]) -> set[Any]:
    return {column.related_model for column in _columns(model) if column.is_relation and not column.null}


def _foreign(model: type[models.Model], ours: list[type[models.Model]]) -> set[Any]:
    """Parents outside our apps, that no row of ours needs to exist for."""
    return {parent for parent in _parents(model) if parent._meta.app_label not in OURS}


def _make(model: type[models.Model], made: dict[Any, list[models.Model]], number: int) -> models.Model:
    values = {
        column.attname: _value(column, made, number)
        for column in _columns(model)
        if not (column.primary_key and isinstance(column, models.AutoField))
    }
    return model._default_manager.create(**values | _belonging_together(model, values))


def _value(column: Any, made: dict[Any, list[models.Model]], number: int) -> Any:
    if column.is_relation:
        rows = made.get(column.related_model)
        return rows[number - 1].pk if rows else None
    if column.choices:
        return column.choices[-1][0]
    match column:
        case models.UUIDField():
            return uuid4()
        case models.DateTimeField():
            return NOON + timedelta(hours=number)
        case models.BooleanField():
            return number == 1
        case models.IntegerField():
            return 1000 + number
        case models.JSONField():
            return {"audit": None, "number": number}
        case models.BinaryField():
            return b"\x00\xff" + bytes([number])
        case models.CharField() | models.TextField():
            return f"Ö{number} {column.name}"[: column.max_length]
    raise AssertionError(f"No value is known for {column!r}: add one.")


def _belonging_together(model: type[models.Model], values: dict[str, Any]) -> dict[str, Any]:
    """What the tables' own checks ask of columns together."""
    match model._meta.model_name:
        case "realizationrequest":
            return {"leased_lms_user_id": values["lms_user_id"]}
        case "defaultenterpriseenrollmentintention":
            return {"content_key_folded": f"key{values['uuid']}", "content_type": "course"}
    return {}


def _stored(model: type[models.Model], pk: Any) -> dict[str, Any] | None:
    """Return a row's values by the names that the database has for its columns."""
    values = model._default_manager.filter(pk=pk).values().first()
    return values and {str(column.column): values[column.attname] for column in _columns(model)}


def _what_is_lost(apps: Any, label: str, pk: Any, values: dict[str, Any]) -> list[str]:
    app_label, model_name = label.split(".")
    try:
        model = apps.get_model(app_label, model_name)
    except LookupError:
        return [] if label in GIVEN_UP else [f"{label} is gone"]
    found = _stored(model, pk)
    if found is None:
        return [f"{label} {pk} is gone"]
    return [
        f"{label}.{column} was {_shown(value)} and is {_shown(found.get(column))}"
        for column, value in values.items()
        if f"{label}.{column}" not in GIVEN_UP and found.get(column, ...) != value
    ]


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, UUID) else repr(value)
