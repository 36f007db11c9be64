from django.db import migrations, models


class Migration(migrations.Migration):
    """The columns of the engine. Defaults of the database let the older release go on beside this one."""

    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="job",
            name="failures",
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="Steps in a row that failed."),
        ),
        migrations.AlterField(
            model_name="job",
            name="lease_token",
            field=models.UUIDField(blank=True, db_index=True, null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="failed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="generation",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="job",
            name="priority",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="job",
            name="waiting_for",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["leased_until"], name="job_by_lease"),
        ),
    ]
