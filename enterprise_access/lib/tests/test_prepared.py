"""Prepared reads: the ORM's own answers, without its work."""

import threading
import time
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection, models, transaction

from enterprise_access.lib.caching import Ages, RefreshingCache
from enterprise_access.lib.http import Limits, Transport, WorkerSession
from enterprise_access.lib.http.scripted import Reply, ScriptedAdapter
from enterprise_access.lib.one_at_a_time import one_at_a_time
from enterprise_access.lib.parallel import start_early
from enterprise_access.lib.prepared import Prepared, read_together

User = get_user_model()
WHEN = datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def joined_since(since, username):
    rows = User.objects.filter(date_joined__gte=since, is_active=True).exclude(username=username)
    return rows.order_by("username").values_list("pk", "username", "is_staff", "date_joined")


JOINED = Prepared(joined_since, since=models.DateTimeField(), username=models.CharField())


@pytest.fixture
def people():
    for name, day in (("ada", 1), ("erin", 2), ("hal", 3)):
        User.objects.create(username=name, date_joined=WHEN.replace(day=day), is_staff=name == "erin")
    User.objects.create(username="gone", date_joined=WHEN, is_active=False)


@pytest.mark.parametrize(
    ("day", "username", "found"),
    [(1, "nobody", ["ada", "erin", "hal"]), (2, "nobody", ["erin", "hal"]), (1, "erin", ["ada", "hal"])],
)
def test_the_rows_are_those_of_the_queryset_whatever_the_parameters(people, day, username, found):
    given = {"since": WHEN.replace(day=day), "username": username}
    assert JOINED.rows(**given) == list(joined_since(**given))
    assert [row[1] for row in JOINED.rows(**given)] == found


def test_what_is_written_in_between_is_seen(people):
    given = {"since": WHEN, "username": "nobody"}
    assert list(JOINED.rows(**given)) == []
    User.objects.filter(username="gone").update(is_active=True)
    assert [row[1] for row in JOINED.rows(**given)] == ["gone"]


def test_raw_rows_can_be_compared_and_converted_later(people):
    given = {"since": WHEN.replace(day=1), "username": "nobody"}
    raw = JOINED.raw_rows(**given)
    assert raw == JOINED.raw_rows(**given)
    assert hash(tuple(raw))
    assert JOINED.converted(raw) == JOINED.rows(**given)


def test_a_read_is_one_statement(people, django_assert_num_queries):
    with django_assert_num_queries(1):
        JOINED.rows(since=WHEN, username="nobody")


def test_a_text_is_a_text_whatever_is_in_it(people):
    assert JOINED.rows(since=WHEN.replace(day=1), username="' or 1=1 --") == JOINED.rows(
        since=WHEN.replace(day=1), username="nobody"
    )


def test_a_parameter_without_a_place_in_the_statement_is_an_error():
    read = Prepared(lambda name: Group.objects.values_list("pk"), name=models.CharField())
    with pytest.raises(ValueError, match="no place for"):
        read.rows(name="staff")


def test_every_parameter_has_to_be_given(people):
    with pytest.raises(KeyError):
        JOINED.rows(since=WHEN)


NAMES = Prepared(lambda username: User.objects.filter(username=username).values_list("pk"), username=models.CharField())


def test_reads_that_are_sent_together_bring_what_each_brings_alone(people, django_assert_num_queries):
    given, odd = {"since": WHEN.replace(day=1), "username": "nobody"}, {"username": "it's 100 %s; select 1 --"}
    User.objects.create(username=odd["username"])
    alone = JOINED.rows(**given), NAMES.rows(username="nobody"), NAMES.rows(**odd)
    reads = [JOINED.read_of(**given), NAMES.read_of(username="nobody"), NAMES.read_of(**odd)]
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 3), read_together(*reads):
        assert (JOINED.rows(**given), NAMES.rows(username="nobody"), NAMES.rows(**odd)) == alone
    assert [len(rows) for rows in alone] == [4, 0, 1]


def test_an_answer_that_was_read_ahead_counts_until_something_is_written_or_the_block_ends(people):
    read = NAMES.read_of(username="new")
    with read_together(read):
        NAMES.rows(username="new")
        User.objects.create(username="new")
        assert len(NAMES.rows(username="new")) == 1
    with read_together(read):
        User.objects.filter(username="new").delete()
    assert list(NAMES.rows(username="new")) == []


only_with_several_answers = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="This database answers one statement at a time, so nothing is read ahead."
)


def call_beside():
    """Call another service in a thread beside this one."""
    session = WorkerSession("https://lms.test", "worker", "secret")
    session.mount("https://", ScriptedAdapter(lambda _: Reply(body=b"{}")))
    limits = Limits(connect_seconds=1, read_seconds=1, total_seconds=1)
    transport = Transport(service="lms", base_url="https://lms.test/", session=session, limits=limits)
    start_early(lambda: transport.get("/x/"))()


def wait_for_another():
    """Wait for what another caller is asking for."""
    cache = RefreshingCache("waited for", version=1, ages_of=lambda _: Ages(soft=1, hard=1, forget=1))

    def get(fetch, seconds):
        cache.get("group", ["key"], fetch=fetch, refresh_later=print, may_fail=(), budget_seconds=seconds)
        return {}

    get(lambda *_: get(None, 0.01), 5)


def wait_for_a_turn():
    """Wait until another one has asked."""
    name = {"reading": "waited for a turn"}
    soon = time.monotonic() + 0.05
    with one_at_a_time(ends_at=soon, **name), one_at_a_time(ends_at=soon, **name):
        pass


def lock():
    with transaction.atomic():
        User.objects.select_for_update().first()


@only_with_several_answers
@pytest.mark.parametrize(
    ("happen", "statements"),
    [
        (lambda: None, 0),
        (User.objects.first, 0),
        (lock, 1),
        (call_beside, 1),
        (wait_for_another, 1),
        (wait_for_a_turn, 1),
    ],
)
def test_a_lock_and_a_call_and_a_wait_let_it_be_read_anew_and_a_read_does_not(
    people, django_assert_num_queries, happen, statements
):
    with read_together(NAMES.read_of(username="ada")):
        NAMES.rows(username="ada")
        happen()
        with django_assert_num_queries(statements):
            assert len(NAMES.rows(username="ada")) == 1


@only_with_several_answers
def test_a_block_inside_another_reads_what_that_has_not_read(people, django_assert_num_queries):
    with read_together(NAMES.read_of(username="ada")), django_assert_num_queries(1):
        with read_together(NAMES.read_of(username="ada"), NAMES.read_of(username="erin")):
            assert [len(NAMES.rows(username=name)) for name in ("ada", "erin")] == [1, 1]
        assert len(NAMES.rows(username="ada")) == 1


def test_reads_with_other_values_are_not_mixed_up(people):
    with read_together(NAMES.read_of(username="ada"), JOINED.read_of(since=WHEN, username="nobody")):
        assert NAMES.rows(username="erin") == [(User.objects.get(username="erin").pk,)]
        assert NAMES.rows(username="ada") == [(User.objects.get(username="ada").pk,)]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="An in-memory SQLite has one connection only.")
@pytest.mark.django_db(transaction=True)
def test_threads_share_the_statement_and_not_the_connection(people):
    given = {"since": WHEN.replace(day=1), "username": "nobody"}
    expected, found = JOINED.rows(**given), []

    def read():
        found.append(JOINED.rows(**given))
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
