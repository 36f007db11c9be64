from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def tie_roles_to_people(apps, schema_editor):
    """Give every role the LMS user id of the account that it was given to."""
    alias = schema_editor.connection.alias
    assignments = apps.get_model("core", "AccessRoleAssignment").objects.using(alias)
    ids = apps.get_model("core", "User").objects.using(alias).filter(pk=OuterRef("user_id")).values("lms_user_id")[:1]
    assignments.filter(lms_user_id=None).update(lms_user_id=Subquery(ids))


class Migration(migrations.Migration):

    dependencies = [
        ("core", "0002_access_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="accessroleassignment",
            name="lms_user_id",
            field=models.PositiveBigIntegerField(
                blank=True,
                db_index=True,
                editable=False,
                help_text="Whose role it is, whatever their username. Empty: an account of the admin pages alone.",
                null=True,
            ),
        ),
        migrations.RunPython(tie_roles_to_people, migrations.RunPython.noop, elidable=True),
    ]
