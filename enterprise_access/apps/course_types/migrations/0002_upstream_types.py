"""The types that a fresh course-discovery has."""

from typing import Any

from django.db import migrations

from enterprise_access.apps.course_types.domain.seeds import Origin
from enterprise_access.apps.course_types.migrations._seeding import seed, unseed


def forwards(apps: Any, schema_editor: Any) -> None:
    seed(apps, Origin.UPSTREAM)


def backwards(apps: Any, schema_editor: Any) -> None:
    unseed(apps, Origin.UPSTREAM)


class Migration(migrations.Migration):
    dependencies = [("course_types", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
