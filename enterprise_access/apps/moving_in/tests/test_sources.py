"""Sources that are not what they should be, and large ones."""

import json
import sqlite3
import sys
from contextlib import closing

import pytest
from django.db import DatabaseError, connections

from enterprise_access.apps.moving_in.domain import tables
from enterprise_access.apps.moving_in.errors import SourceUnreadable
from enterprise_access.apps.moving_in.services import dumps, sources
from enterprise_access.apps.moving_in.tests import peer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("text", ["[{", '[{"model": "core.user"', "not JSON", '["x"]', "\x00", "[1, 2]"])
def test_a_file_that_is_no_dump_is_refused(tmp_path, text):
    path = tmp_path / "dump.json"
    path.write_text(text)
    with pytest.raises(SourceUnreadable), sources.opened(str(path)):
        pass


@pytest.mark.parametrize(
    "row", [peer.user() | {"pk": None}, peer.assignment() | {"pk": None}, peer.license_request(user=["ada"])]
)
def test_a_file_with_natural_keys_is_refused_and_says_how_to_write_it(tmp_path, row):
    with (
        pytest.raises(SourceUnreadable, match="without --natural-primary"),
        sources.opened(peer.dumped([row], tmp_path)),
    ):
        pass


def test_what_is_twice_in_a_file_is_remarked_and_halves_of_characters_are_read(tmp_path):
    rows = [peer.user(), peer.user(email="late\ud83d@example.com")]
    with sources.opened(peer.dumped(rows, tmp_path)) as source:
        assert any("core.user are in the file more than once" in remark for remark in source.remarks)
        ((row,),) = source.batches(tables.USERS)
        assert row.raw("email") == "late?@example.com"


@pytest.mark.parametrize(
    "where", ["/nowhere.json", "sqlite:////nowhere.sqlite3", "redis://localhost/1", "mysql://127.0.0.1:1/x", "://"]
)
def test_a_source_that_is_not_there_is_refused_with_a_sentence(where):
    with pytest.raises(SourceUnreadable), sources.opened(where):
        pass


def test_a_database_whose_driver_is_not_installed_is_refused_and_harms_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    monkeypatch.delitem(sys.modules, "django.db.backends.mysql.base", raising=False)
    with pytest.raises(SourceUnreadable, match=r"requirements/mysql\.txt"), sources.opened("mysql://127.0.0.1:1/x"):
        pass
    assert list(connections) == ["default"]


def changed(url: str, *statements: str) -> str:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return url


def test_a_database_without_a_needed_column_is_refused_by_its_name(tmp_path):
    url = changed(peer.stored([], tmp_path), f"ALTER TABLE {tables.POLICIES.name} DROP COLUMN spend_limit")
    with pytest.raises(SourceUnreadable, match="subsidyaccesspolicy has no column spend_limit"), sources.opened(url):
        pass


def test_what_is_missing_or_not_known_is_remarked(tmp_path):
    url = changed(
        peer.stored([], tmp_path),
        f"ALTER TABLE {tables.POLICIES.name} ADD COLUMN mood text",
        f"ALTER TABLE {tables.ASSIGNMENTS.name} DROP COLUMN reversed_at",
        f"DROP TABLE {tables.FORCED_REDEMPTIONS.name}",
    )
    with sources.opened(url) as source:
        assert sorted(source.remarks) == [
            "The column subsidy_access_policy_subsidyaccesspolicy.mood is not known here, and was not read.",
            "The source has no table subsidy_access_policy_forcedpolicyredemption: nothing was read of it.",
        ]
        assert list(source.batches(tables.FORCED_REDEMPTIONS)) == []
        assert source.matching(tables.FORCED_REDEMPTIONS, "uuid", ["x"]) == {}


def test_a_dump_is_remarked_on_too(tmp_path):
    row = peer.policy(mood="good")
    with sources.opened(peer.dumped([row], tmp_path)) as source:
        said = source.remarks
    assert "The member subsidy_access_policy.subsidyaccesspolicy.mood is not known here, and was not read." in said
    assert "The file has no objects of core.user." in said


def test_a_database_is_only_read(tmp_path):
    url = peer.stored(peer.whole(), tmp_path)
    with (
        pytest.raises(DatabaseError, match="readonly"),
        sources.opened(url) as source,
        source._connection.cursor() as cursor,
    ):
        cursor.execute(f"DELETE FROM {tables.USERS.name}")


def test_rows_come_in_batches_each_once(tmp_path):
    count = 2 * sources.BATCH + 1
    with sources.opened(peer.dumped([peer.user(pk) for pk in range(1, count + 1)], tmp_path)) as source:
        sizes = [len(rows) for rows in source.batches(tables.USERS)]
        found = source.matching(tables.USERS, "id", [None, *range(count + 1)])
    assert sizes == [sources.BATCH, sources.BATCH, 1]
    assert len(found) == count


def test_objects_are_found_wherever_a_file_is_cut_into_pieces(tmp_path, monkeypatch):
    rows = [peer.user(pk, email="“é”@example.com") for pk in range(3)]
    monkeypatch.setattr(dumps, "_CHUNK", 7)
    assert list(dumps.objects_of(tmp_path / peer.dumped(rows, tmp_path)))[1:] == json.loads(json.dumps(rows))
    monkeypatch.setattr(dumps, "_MAX_OBJECT", 20)
    with pytest.raises(SourceUnreadable, match="cut off"):
        list(dumps.objects_of(tmp_path / "dump.json"))
