"""Statements that sessions of PostgreSQL keep: the same answers, whatever becomes of what was kept."""

from collections.abc import Callable

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from enterprise_access.lib.sessions import Statement, run

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Sessions of this database keep no statements."),
    pytest.mark.django_db(transaction=True),
]

SUM = Statement("SELECT %s::int + %s::int", (3, None), (None, "more"))
TEXT = Statement("SELECT %s || '%%s' WHERE %s <> ''", (None, None), ("text", "text"))
RATIO = Statement("SELECT 1 / %s::int", (None,), ("by",))
TYPED = Statement("SELECT kind FROM typed", (), ())


@pytest.fixture(autouse=True)
def _new_session():
    connection.close()
    yield
    connection.close()


def execute(sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def ask(*reads):
    """Return what statements answer, and what was sent in one round trip."""
    with CaptureQueriesContext(connection) as sent:
        found = run(reads)
    assert len(sent) == 1
    return found, sent[0]["sql"]


def test_what_is_sent_once_is_kept_and_answers_the_same():
    reads = (SUM, {"more": 4}), (TEXT, {"text": "it's 100 %s"}), (SUM, {"more": 5})
    first, sent = ask(*reads)
    assert first == [[(7,)], [("it's 100 %s%s",)], [(8,)]]
    assert [sent.count(word) for word in ("PREPARE", "EXECUTE", "SELECT")] == [2, 3, 2]
    again, sent = ask(*reads)
    assert again == first
    assert [sent.count(word) for word in ("PREPARE", "EXECUTE", "SELECT")] == [0, 3, 0]


def test_another_session_is_told_anew():
    ask((SUM, {"more": 1}))
    connection.close()
    assert "PREPARE" in ask((SUM, {"more": 1}))[1]


def forget() -> None:
    run([(SUM, {"more": 1})])
    execute("DEALLOCATE ALL")


def keep_already() -> None:
    """As a session does in which another process has kept the same statement."""
    execute(*SUM.to_keep)


@pytest.mark.parametrize("happen", [forget, keep_already])
def test_a_session_that_another_process_has_used_is_asked_again_without_it(happen: Callable[[], None], caplog):
    happen()
    assert run([(SUM, {"more": 2})]) == [[(5,)]]
    assert "does not keep statements" in caplog.text
    found, sent = ask((SUM, {"more": 2}))
    assert (found, "SELECT" in sent, "EXECUTE" in sent) == ([[(5,)]], True, False)


def test_what_is_kept_may_be_of_another_type_by_now():
    execute("CREATE TABLE typed AS SELECT 1 AS kind")
    try:
        assert run([(TYPED, {})]) == [[(1,)]]
        execute("ALTER TABLE typed ALTER kind TYPE text")
        assert run([(TYPED, {})]) == [[("1",)]]
    finally:
        execute("DROP TABLE typed")


def test_an_error_of_the_statement_itself_is_the_callers():
    with pytest.raises(DataError):
        run([(SUM, {"more": 1}), (RATIO, {"by": 0})])
    assert run([(SUM, {"more": 1}), (RATIO, {"by": 1})]) == [[(4,)], [(1,)]]


def test_inside_a_transaction_nothing_is_kept_because_an_error_would_end_it():
    with transaction.atomic():
        assert "EXECUTE" not in ask((SUM, {"more": 1}))[1]


def test_behind_a_pooler_as_django_is_told_of_it_nothing_is_kept(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    assert "EXECUTE" not in ask((SUM, {"more": 1}))[1]
