from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("default_enrollments", "0003_payment_changes")]

    operations = [
        migrations.AddIndex(
            model_name="defaultenterpriseenrollmentrealization",
            index=models.Index(fields=["realized_at", "uuid"], name="realization_by_time"),
        ),
    ]
