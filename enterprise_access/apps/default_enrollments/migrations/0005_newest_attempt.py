from typing import Any

from django.db import migrations, models
from django.db.models import Exists, OuterRef

AT_ONCE = 1000


def mark_replaced(apps: Any, _schema_editor: Any) -> None:
    """Say of every attempt that has a later one that it is not the newest. By id: one database cannot update a table
    that it reads in the same statement."""
    attempts = apps.get_model("default_enrollments", "RealizationAttempt").objects
    later = attempts.filter(
        intention=OuterRef("intention"), lms_user_id=OuterRef("lms_user_id"), pk__gt=OuterRef("pk")
    ).order_by()
    replaced = attempts.filter(Exists(later)).order_by("pk")
    last = 0
    while ids := list(replaced.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        attempts.filter(pk__in=ids).update(is_newest=False)
        last = ids[-1]


class Migration(migrations.Migration):
    # The rows are filled in batches that may be repeated; holding all of them locked until the end would stop work.
    atomic = False

    dependencies = [("default_enrollments", "0004_realization_by_time")]

    operations = [
        migrations.AddField(
            model_name="realizationattempt",
            name="is_newest",
            field=models.BooleanField(
                db_default=True, default=True, help_text="Nothing newer is known of this learner and intention."
            ),
        ),
        migrations.RunPython(mark_replaced, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="realizationattempt",
            index=models.Index(fields=["is_newest", "intention", "outcome", "reason"], name="attempt_newest_by_reason"),
        ),
    ]
