from django.db import migrations, models

# In the code alone: the columns keep their names, so that the release that is being replaced goes on.
RENAMED = [
    migrations.RenameField(model_name="learnersighting", old_name="next_check_at", new_name="due_at"),
    migrations.AlterField(
        model_name="learnersighting",
        name="due_at",
        field=models.DateTimeField(blank=True, db_column="next_check_at", db_index=True, null=True),
    ),
    migrations.RenameField(model_name="learnersighting", old_name="claim_token", new_name="lease_token"),
    migrations.AlterField(
        model_name="learnersighting",
        name="lease_token",
        field=models.UUIDField(blank=True, db_column="claim_token", db_index=True, null=True),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_enrollments_changed")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=RENAMED),
        migrations.AddField(
            model_name="learnersighting",
            name="priority",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="learnersighting",
            name="generation",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="learnersighting",
            name="leased_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="learnersighting",
            name="failures",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="learnersighting",
            name="waiting_for",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="learnersighting",
            name="failed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="learnersighting",
            index=models.Index(fields=["leased_until"], name="sighting_by_lease"),
        ),
    ]
