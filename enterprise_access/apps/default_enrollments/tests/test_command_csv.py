"""`import_intentions_csv` and `export_intentions_csv`: files from a shell, with exit codes that tell."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.tests.stories import DEMO, LINUX, intend

Intention = DefaultEnterpriseEnrollmentIntention

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    def write(*lines):
        path = tmp_path / "intentions.csv"
        path.write_text("\n".join(["customer,content_key", *lines, ""]))
        return path

    return write


def run(*arguments):
    out = StringIO()
    try:
        call_command("import_intentions_csv", *map(str, arguments), stdout=out, stderr=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}", 1
    return out.getvalue(), 0


def test_without_commit_nothing_is_saved(world, file):
    said, code = run(file(f"acme,{DEMO}"))
    assert code == 0
    assert f"line 2: acme: {DEMO}" in said
    assert "Dry run, nothing was saved." in said
    assert not Intention.objects.exists()


def test_with_commit_it_is_saved(world, file):
    said, code = run(file(f"acme,{DEMO}", f"globex,{DEMO}"), "--commit")
    assert (code, Intention.objects.count()) == (0, 2)
    assert "2 added, 0 restored." in said


def test_one_wrong_row_keeps_all_from_being_saved_unless_it_may_be_skipped(world, file):
    path = file(f"acme,{DEMO}", "acme,NoX+SUCH")
    assert run(path)[1] == 1
    said, code = run(path, "--commit")
    assert (code, Intention.objects.count()) == (1, 0)
    assert "line 3: acme: NoX+SUCH: error: No course or run" in said
    assert run(path, "--commit", "--skip-errors")[1] == 1
    assert Intention.objects.get().content_key == DEMO


def test_what_is_no_file_of_intentions_is_an_error(world, file, tmp_path):
    assert run(tmp_path / "nothing.csv")[1] == 1
    path = file()
    path.write_bytes(b"customer,content_key\nacme,\xff")
    assert "UTF-8" in run(path, "--commit")[0]


def test_what_is_exported_can_be_imported_elsewhere(world, tmp_path):
    intend(DEMO, LINUX)
    out = StringIO()
    call_command("export_intentions_csv", "--customer", "acme", stdout=out)
    path = tmp_path / "exported.csv"
    path.write_text(out.getvalue())
    Intention.objects.all().delete()
    assert run(path, "--commit")[1] == 0
    assert set(Intention.objects.values_list("content_key", flat=True)) == {DEMO, LINUX}


def test_a_customer_that_is_not_known_cannot_be_exported(world):
    with pytest.raises(CommandError, match="knows no active"):
        call_command("export_intentions_csv", "--customer", "nobody", stdout=StringIO())
