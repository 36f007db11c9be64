from typing import Any

from django.db import migrations, models
from django.db.models import F


def as_the_fingerprint(apps: Any, _schema_editor: Any) -> None:
    """The best that is known: the verdict is not older than everything that it was made of."""
    apps.get_model("default_enrollments", "IntentionHealth").objects.update(reason_since=F("changed_at"))


class Migration(migrations.Migration):
    dependencies = [("default_enrollments", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="intentionhealth",
            name="reason_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(as_the_fingerprint, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="intentionhealth",
            name="reason_since",
            field=models.DateTimeField(help_text="Since when the reason is what it is, as far as was looked."),
        ),
    ]
