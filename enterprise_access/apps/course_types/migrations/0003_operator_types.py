"""The types that operators add by hand, as far as there is evidence for them."""

from typing import Any

from django.db import migrations

from enterprise_access.apps.course_types.domain.seeds import Origin
from enterprise_access.apps.course_types.migrations._seeding import seed, unseed


def forwards(apps: Any, schema_editor: Any) -> None:
    seed(apps, Origin.OPERATOR)


def backwards(apps: Any, schema_editor: Any) -> None:
    unseed(apps, Origin.OPERATOR)


class Migration(migrations.Migration):
    dependencies = [("course_types", "0002_upstream_types")]
    operations = [migrations.RunPython(forwards, backwards)]
