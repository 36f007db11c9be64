from django.db import migrations, models

# In the code alone: the column keeps its name, so that the release that is being replaced goes on.
RENAMED = [
    migrations.RenameField(model_name="realizationrequest", old_name="dead_at", new_name="failed_at"),
    migrations.AlterField(
        model_name="realizationrequest",
        name="failed_at",
        field=models.DateTimeField(
            blank=True, db_column="dead_at", help_text="Failed; staff need to look at it.", null=True
        ),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("default_enrollments", "0005_newest_attempt")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=RENAMED),
        migrations.AlterField(
            model_name="realizationrequest",
            name="failures",
            field=models.PositiveIntegerField(
                default=0, help_text="Checks in a row in which an upstream service did not answer."
            ),
        ),
        migrations.AlterField(
            model_name="realizationrequest",
            name="waiting_for",
            field=models.CharField(blank=True, help_text="Why it is checked again, as a reason code.", max_length=50),
        ),
        migrations.AddField(
            model_name="realizationrequest",
            name="priority",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="realizationrequest",
            index=models.Index(fields=["customer", "priority", "due_at"], name="request_by_priority"),
        ),
        migrations.AddIndex(
            model_name="realizationrequest",
            index=models.Index(fields=["due_at", "customer", "priority"], name="request_by_due"),
        ),
        migrations.AddIndex(
            model_name="realizationrequest",
            index=models.Index(fields=["leased_until"], name="request_by_lease"),
        ),
        migrations.AddIndex(
            model_name="realizationrequest",
            index=models.Index(fields=["failed_at"], name="request_by_failure"),
        ),
    ]
