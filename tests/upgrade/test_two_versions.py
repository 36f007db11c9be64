"""While processes are replaced, two versions work on the same tables and messages (docs/how-to/upgrade.rst)."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from enterprise_access.celery import app

# What old code need not know of: it neither writes nor reads it.
ALWAYS_SAFE = (operations.CreateModel, operations.AddIndex, operations.RunPython, operations.AlterModelOptions)
# Migrations that old code cannot work beside, each with the reason why nobody is hurt.
MAY_STOP_OLD_CODE = {
    "default_enrollments.0002_verdict_since": "a column that must not be empty; there was no release before it",
    "jobs.0002_jobs_as_pending_work": "columns that may be empty now, with defaults in the database for old code",
    "subsidy_access_policies.0002_reconciling_and_deposits": "another index, and a check of a table that is new in it",
}


def test_every_task_takes_what_newer_code_may_say():
    ours = {name: task for name, task in app.tasks.items() if task.__module__.startswith("enterprise_access.")}
    assert ours
    for name, task in ours.items():
        kinds = [parameter.kind for parameter in inspect.signature(task.run).parameters.values()]
        assert kinds[-1:] == [inspect.Parameter.VAR_KEYWORD], name
        assert set(kinds[:-1]) <= {inspect.Parameter.KEYWORD_ONLY}, name


def test_migrations_only_add():
    """Old code must be able to write rows after each of them."""
    stopping = {name: problems for name, problems in _problems_of_migrations() if problems}
    assert {name: found for name, found in stopping.items() if name not in MAY_STOP_OLD_CODE} == {}
    assert stopping.keys() == MAY_STOP_OLD_CODE.keys(), "the list holds what is needed, and no more"


def _problems_of_migrations() -> Iterator[tuple[str, list[str]]]:
    loader = MigrationLoader(None)
    for (label, name), migration in sorted(loader.disk_migrations.items()):
        if type(migration).__module__.startswith("enterprise_access.") and not migration.initial:
            yield f"{label}.{name}", _problems(migration, loader.project_state((label, name), at_end=False))


def _problems(migration: Migration, before: ProjectState) -> list[str]:
    found = []
    for operation in migration.operations:
        after = before.clone()
        operation.state_forwards(migration.app_label, after)
        if not _is_safe(operation, migration.app_label, before, after):
            found.append(operation.describe())
        before = after
    return found


def _is_safe(operation: Operation, label: str, before: ProjectState, after: ProjectState) -> bool:
    match operation:
        case operations.AddField(field=field):
            return field.null or field.has_db_default()
        case operations.AlterField(model_name=model, name=name):
            old, new = (state.apps.get_model(label, model)._meta.get_field(name) for state in (before, after))
            editor: Any = connection.schema_editor()
            return not editor._field_should_be_altered(old, new)
        case operations.SeparateDatabaseAndState(database_operations=[]):
            # A new name in the code alone; the database is not touched.
            return _columns(before) == _columns(after)
        case _:
            return isinstance(operation, ALWAYS_SAFE)


def _columns(state: ProjectState) -> set[tuple[str, str]]:
    """Return the tables' columns, as the database knows them."""
    models = state.apps.get_models()
    return {(model._meta.db_table, str(field.column)) for model in models for field in model._meta.concrete_fields}


@pytest.mark.parametrize(
    "operation",
    [
        operations.RemoveField("realizationrequest", "due_at"),
        operations.RenameField("realizationrequest", "due_at", "owed_at"),
        operations.DeleteModel("realizationrequest"),
        operations.RemoveConstraint("realizationrequest", "a_lease_is_whole"),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_takes_away_is_noticed(operation):
    state = ProjectState()
    assert not _is_safe(operation, "default_enrollments", state, state)
