import django.utils.timezone
from django.db import migrations, models

# In the code alone: the columns keep their names, so that the release that is being replaced goes on.
RENAMED = [
    migrations.RenameField(model_name="outbox", old_name="next_try_at", new_name="due_at"),
    migrations.AlterField(
        model_name="outbox",
        name="due_at",
        field=models.DateTimeField(db_column="next_try_at", default=django.utils.timezone.now),
    ),
    migrations.RenameField(model_name="outbox", old_name="last_error", new_name="waiting_for"),
    migrations.AlterField(
        model_name="outbox",
        name="waiting_for",
        field=models.CharField(blank=True, db_column="last_error", max_length=100),
    ),
    # (The index goes on, over the same columns.)
    migrations.RemoveIndex(model_name="outbox", name="outbox_by_error"),
    migrations.AddIndex(
        model_name="outbox", index=models.Index(fields=["waiting_for", "due_at"], name="outbox_by_error")
    ),
]


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=RENAMED),
        migrations.AddField(
            model_name="outbox",
            name="priority",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="outbox",
            name="generation",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="outbox",
            name="failed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="outbox",
            index=models.Index(fields=["leased_until"], name="outbox_by_lease"),
        ),
    ]
