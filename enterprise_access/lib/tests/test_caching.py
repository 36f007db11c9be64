"""The cache: ages, one asking at a time, failures that are shared and forgotten, and a cache that is not there."""

import contextlib
import os
import pickle
import re
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import redis
import time_machine
from django.core.cache import cache as django_cache
from django.core.cache import caches
from django.test import override_settings

from enterprise_access.lib import cached_entries, shared_cache
from enterprise_access.lib.cached_entries import Entry, encoded
from enterprise_access.lib.caching import JITTER, Ages, RefreshingCache
from enterprise_access.lib.tests.caller import READERS

SOFT, HARD, FORGET = 100, 1000, 10_000
AGES = Ages(soft=SOFT, hard=HARD, forget=FORGET)
BRIEF = Ages(soft=10, hard=10, forget=10)


class Away(Exception):
    """The neighbour does not answer."""


class Neighbour:
    """Answers with the number of times that it was asked, or does not answer."""

    def __init__(self):
        self.asked: list[set[str]] = []
        self.is_away = False
        self.before_answering = lambda: None

    def fetch(self, keys, _ends_at):
        self.asked.append(set(keys))
        number = len(self.asked)
        self.before_answering()
        if self.is_away:
            raise Away
        return {key: f"{key}{number}" for key in keys}


class Reader:
    """Reads through a cache, and remembers what was to be refreshed behind the back."""

    def __init__(self, neighbour, *, version=1, ages_of=lambda _: AGES, budget_seconds=5):
        self.neighbour = neighbour
        self.trusted_seconds = 0
        self.cache = RefreshingCache(
            "test", version=version, ages_of=ages_of, trusted_seconds=lambda: self.trusted_seconds
        )
        self.budget_seconds = budget_seconds
        self.to_refresh: list[set[str]] = []

    def entries(self, *keys, group="group"):
        return self.cache.get(
            group,
            keys,
            fetch=self.neighbour.fetch,
            refresh_later=lambda due: self.to_refresh.append(set(due)),
            may_fail=(Away,),
            budget_seconds=self.budget_seconds,
        )

    def read(self, *keys, group="group"):
        return {key: entry.value for key, entry in self.entries(*keys, group=group).items()}

    def refresh(self, *keys):
        return self.cache.refresh("group", keys, fetch=self.neighbour.fetch, ends_at=time.monotonic() + 5)


@pytest.fixture
def neighbour():
    return Neighbour()


@pytest.fixture
def reader(neighbour):
    return Reader(neighbour)


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 11, 21, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def trips(monkeypatch):
    """Return the names of the calls that reach Django's cache from now on."""
    made: list[str] = []
    for name in ("get", "get_many", "set", "set_many", "add", "delete", "delete_many", "incr", "touch"):
        original = getattr(caches["default"], name)

        def counting(*args, _original=original, _name=name, **kwargs):
            made.append(_name)
            return _original(*args, **kwargs)

        monkeypatch.setattr(caches["default"], name, counting)
    return made


# --- ages -----------------------------------------------------------------------------------------------------------


def test_what_is_stored_is_not_asked_for(reader, neighbour):
    assert reader.read("a", "b") == {"a": "a1", "b": "b1"}
    assert reader.read("a", "b") == {"a": "a1", "b": "b1"}
    assert neighbour.asked == [{"a", "b"}]


def test_only_what_is_missing_is_asked_for(reader, neighbour):
    reader.read("a")
    assert reader.read("a", "b") == {"a": "a1", "b": "b2"}
    assert neighbour.asked == [{"a"}, {"b"}]


def test_nothing_is_asked_for_nothing(reader, neighbour, trips):
    assert reader.read() == {}
    assert (neighbour.asked, trips) == ([], [])


def test_an_entry_is_as_old_as_the_question(reader, neighbour, clock):
    neighbour.before_answering = lambda: clock.shift(5)
    asked_at = datetime.now(UTC)
    assert reader.entries("a")["a"].fetched_at == asked_at


def test_a_young_entry_is_served_and_nothing_happens(reader, neighbour, clock):
    reader.read("a")
    clock.shift(SOFT * (1 - JITTER) - 1)
    assert reader.read("a") == {"a": "a1"}
    assert (len(neighbour.asked), reader.to_refresh) == (1, [])


def test_an_older_entry_is_served_and_refreshed_behind_the_back(reader, neighbour, clock):
    reader.read("a", "b")
    clock.shift(SOFT + 1)
    entries = reader.entries("a", "b")
    assert [entry.is_stale for entry in entries.values()] == [False, False]
    assert (len(neighbour.asked), reader.to_refresh) == (1, [{"a", "b"}])


def test_only_one_of_many_readers_asks_for_a_refresh(reader, clock, settings):
    reader.read("a")
    clock.shift(SOFT + 1)
    for _ in range(5):
        reader.read("a")
    assert len(reader.to_refresh) == 1
    clock.shift(settings.CACHE_REFRESH_LATER_SECONDS + 2)
    reader.read("a")
    assert len(reader.to_refresh) == 2


def test_groups_that_were_stored_together_do_not_come_due_together(reader, clock):
    groups = [f"customer {number}" for number in range(50)]
    for group in groups:
        reader.read("a", group=group)
    due: list[int] = []
    for _ in range(10):
        clock.shift(SOFT / 10 if not due else SOFT * JITTER / 10)
        before = len(reader.to_refresh)
        for group in groups:
            reader.read("a", group=group)
        due.append(len(reader.to_refresh) - before)
    assert max(due) < 25


def test_an_old_entry_is_asked_for_while_the_reader_waits(reader, neighbour, clock):
    reader.read("a")
    clock.shift(HARD + 1)
    assert reader.read("a") == {"a": "a2"}
    assert reader.to_refresh == []


def test_an_old_entry_is_served_as_stale_while_nobody_answers(reader, neighbour, clock):
    reader.read("a")
    stored_at = datetime.now(UTC)
    clock.shift(HARD + 1)
    neighbour.is_away = True
    entry = reader.entries("a")["a"]
    assert (entry.value, entry.is_stale, entry.fetched_at) == ("a1", True, stored_at)
    neighbour.is_away = False
    entry = reader.entries("a")["a"]
    assert (entry.value, entry.is_stale) == ("a3", False)


def test_nothing_is_served_that_is_too_old(reader, neighbour, clock):
    reader.read("a")
    clock.shift(FORGET + 3)
    neighbour.is_away = True
    assert reader.read("a") == {}


def test_ages_may_depend_on_the_answer(neighbour, clock):
    reader = Reader(neighbour, ages_of=lambda value: BRIEF if value.startswith("no") else AGES)
    assert reader.read("no", "yes") == {"no": "no1", "yes": "yes1"}
    clock.shift(11)
    assert reader.read("no", "yes") == {"no": "no2", "yes": "yes1"}
    clock.shift(13)
    neighbour.is_away = True
    assert reader.read("no", "yes") == {"yes": "yes1"}


# --- failures -------------------------------------------------------------------------------------------------------


def test_a_failure_is_never_stored(reader, neighbour):
    neighbour.is_away = True
    assert reader.read("a") == {}
    neighbour.is_away = False
    assert reader.read("a") == {"a": "a2"}


def test_what_may_not_fail_is_raised_and_the_next_reader_asks(reader, neighbour):
    neighbour.before_answering = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        reader.read("a")
    neighbour.before_answering = lambda: None
    assert reader.read("a") == {"a": "a2"}


def test_a_part_of_an_answer_is_a_part_of_the_answer(reader):
    cache = reader.cache
    entries = cache.get(
        "g",
        ["a", "b"],
        fetch=lambda _keys, _ends_at: {"a": "1"},
        refresh_later=print,
        may_fail=(),
        budget_seconds=1,
    )
    assert entries.keys() == {"a"}


def test_refreshing_raises_and_leaves_everything_as_it_was(reader, neighbour):
    reader.read("a")
    neighbour.is_away = True
    with pytest.raises(Away):
        reader.refresh("a")
    assert reader.read("a") == {"a": "a1"}


def test_refreshing_replaces_what_is_there(reader):
    reader.read("a")
    assert reader.refresh("a")["a"].value == "a2"
    assert reader.read("a") == {"a": "a2"}


def test_an_older_question_does_not_overwrite_a_newer_answer(reader, neighbour, clock):
    def overtaken():
        neighbour.before_answering = lambda: None
        clock.shift(1)
        reader.refresh("a")

    neighbour.before_answering = overtaken
    reader.refresh("a")
    assert len(neighbour.asked) == 2
    assert reader.read("a") == {"a": "a2"}


def test_what_is_forgotten_is_asked_for(reader):
    reader.read("a", "b")
    reader.cache.forget("group", ["a"])
    assert reader.read("a", "b") == {"a": "a2", "b": "b1"}


# --- one at a time --------------------------------------------------------------------------------------------------


def at_once(number, read):
    """Return what `number` threads read that start together."""
    barrier = threading.Barrier(number)

    def start(_):
        barrier.wait()
        return read()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(start, range(number)))


def test_a_burst_on_a_cold_cache_asks_once(reader, neighbour):
    neighbour.before_answering = lambda: time.sleep(0.1)
    answers = at_once(64, lambda: reader.read("a", "b"))
    assert answers == [{"a": "a1", "b": "b1"}] * 64
    assert len(neighbour.asked) == 1


def test_a_burst_shares_the_failure_of_one_asking(reader, neighbour):
    neighbour.before_answering = lambda: time.sleep(0.1)
    neighbour.is_away = True
    started_at = time.monotonic()
    assert at_once(32, lambda: reader.read("a")) == [{}] * 32
    # Whoever looked for the first time after the failure asks for themselves; nobody else does.
    assert len(neighbour.asked) <= 3
    assert time.monotonic() - started_at < reader.budget_seconds


def test_a_burst_on_an_old_entry_serves_it_as_stale_when_nobody_answers(reader, neighbour):
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:
        reader.read("a")
        clock.shift(HARD + 1)
        neighbour.is_away = True
        neighbour.before_answering = lambda: time.sleep(0.05)
        entries = at_once(16, lambda: reader.entries("a")["a"])
    assert {(entry.value, entry.is_stale) for entry in entries} == {("a1", True)}
    assert len(neighbour.asked) <= 3


def test_different_keys_of_a_group_are_all_answered(reader, neighbour):
    neighbour.before_answering = lambda: time.sleep(0.02)
    keys = [f"key{number}" for number in range(8)]
    answers = at_once(8, lambda: reader.read(*keys[: 1 + threading.get_ident() % 8]))
    assert all(answers)
    asked = [key for keys in neighbour.asked for key in keys]
    assert len(asked) == len(set(asked))


def test_groups_do_not_wait_for_each_other(reader, neighbour):
    shared_cache.add(reader.cache.store.address("other", "lock"), "somebody", seconds=60)
    assert reader.read("a") == {"a": "a1"}


def test_waiting_is_bounded(neighbour):
    """Whoever asks is not done in time: the others go without."""
    reader = Reader(neighbour, budget_seconds=0.1)
    shared_cache.add(reader.cache.store.address("group", "lock"), "somebody", seconds=60)
    started_at = time.monotonic()
    assert reader.read("a") == {}
    assert time.monotonic() - started_at < 1
    assert neighbour.asked == []


def test_asking_gets_what_waiting_has_left_of_the_budget(neighbour):
    reader = Reader(neighbour, budget_seconds=2)
    shared_cache.add(reader.cache.store.address("group", "lock"), "somebody", seconds=60)
    ends: list[float] = []

    def fetch(keys, ends_at):
        ends.append(ends_at)
        return neighbour.fetch(keys, ends_at)

    started_at = time.monotonic()
    threading.Timer(0.1, lambda: reader.cache.store.unlock("group", "somebody")).start()
    reader.cache.get("group", ["a"], fetch=fetch, refresh_later=print, may_fail=(), budget_seconds=2)
    assert len(ends) == 1
    assert ends[0] - started_at < 2.05


def test_the_lock_of_a_reader_that_died_is_not_for_ever(reader, neighbour, clock):
    shared_cache.add(reader.cache.store.address("group", "lock"), "somebody who died", seconds=reader.budget_seconds)
    clock.shift(reader.budget_seconds + 3)
    assert reader.read("a") == {"a": "a1"}


def test_a_lock_that_was_taken_over_is_not_given_back_by_its_first_holder(reader, neighbour):
    lock = reader.cache.store.address("group", "lock")
    neighbour.before_answering = lambda: django_cache.set(lock, "somebody else", timeout=60)
    reader.read("a")
    assert django_cache.get(lock) == "somebody else"


def test_reading_many_keys_is_one_trip(reader, trips):
    keys = [f"key{number}" for number in range(100)]
    reader.read(*keys)
    assert trips.count("add") == 1
    trips.clear()
    reader.read(*keys)
    # The stamp, and what it stands for; from the next time on the stamp alone.
    assert [name for name in trips if name != "get"] == ["get_many", "get_many"]
    trips.clear()
    reader.read(*keys)
    assert [name for name in trips if name != "get"] == ["get_many"]


# --- what a process keeps -------------------------------------------------------------------------------------------


def another_process(neighbour):
    """Return a reader that keeps nothing of what others were shown."""
    return Reader(neighbour)


def warm(*readers):
    """Let every reader keep what it is shown."""
    for _ in range(3):
        for reader in readers:
            reader.read("a", "b")


def test_what_another_process_stores_is_seen_by_the_next_read(reader, neighbour):
    other = another_process(neighbour)
    warm(reader, other)
    other.refresh("a")
    assert reader.read("a", "b") == {"a": "a2", "b": "b1"}


def test_what_is_trusted_is_not_even_looked_at(reader, neighbour, trips):
    other = another_process(neighbour)
    reader.trusted_seconds = 60
    warm(reader)
    other.refresh("a")
    trips.clear()
    assert reader.read("a", "b") == {"a": "a1", "b": "b1"}
    assert trips == []
    reader.trusted_seconds = 0
    assert reader.read("a", "b") == {"a": "a2", "b": "b1"}


def test_reading_again_and_again_does_not_prolong_the_trust(reader, neighbour, monkeypatch):
    other = another_process(neighbour)
    reader.trusted_seconds = 60
    warm(reader)
    other.refresh("a")
    started_at = time.monotonic()
    for seconds in (50, 55):
        monkeypatch.setattr(time, "monotonic", lambda at=started_at + seconds: at)
        assert reader.read("a", "b") == {"a": "a1", "b": "b1"}
    monkeypatch.setattr(time, "monotonic", lambda: started_at + 61)
    assert reader.read("a", "b") == {"a": "a2", "b": "b1"}


def test_what_is_trusted_comes_due_all_the_same(reader, clock):
    reader.trusted_seconds = 10 * SOFT
    warm(reader)
    clock.shift(SOFT + 1)
    reader.read("a", "b")
    assert reader.to_refresh == [{"a", "b"}]


def test_a_process_does_not_trust_what_it_has_itself_replaced_or_dropped(reader):
    reader.trusted_seconds = 60
    warm(reader)
    reader.refresh("a")
    assert reader.read("a", "b") == {"a": "a2", "b": "b1"}
    reader.cache.forget("group", ["b"])
    assert reader.read("a", "b") == {"a": "a2", "b": "b3"}


def test_what_another_process_drops_is_not_served_any_more(reader, neighbour):
    other = another_process(neighbour)
    warm(reader, other)
    other.cache.forget("group", ["a"])
    assert reader.read("a", "b") == {"a": "a2", "b": "b1"}


def test_what_is_stored_while_a_reader_looks_is_seen_by_the_next_read(reader, neighbour, monkeypatch):
    other = another_process(neighbour)
    warm(reader, other)
    other.refresh("b")
    look = reader.cache.store.look

    def looking_slowly(group, keys):
        seen = look(group, keys)
        monkeypatch.undo()
        other.refresh("a")
        return seen

    monkeypatch.setattr(reader.cache.store, "look", looking_slowly)
    assert reader.read("a", "b") == {"a": "a1", "b": "b2"}
    assert reader.read("a", "b") == {"a": "a3", "b": "b2"}


def test_a_cache_that_lost_everything_is_not_made_up_for(reader, neighbour):
    warm(reader)
    django_cache.clear()
    assert reader.read("a", "b") == {"a": "a2", "b": "b2"}


def test_what_is_kept_comes_due_like_anything_else(reader, clock):
    warm(reader)
    clock.shift(SOFT + 1)
    reader.read("a", "b")
    assert reader.to_refresh == [{"a", "b"}]


@pytest.mark.parametrize("trusted_seconds", [0, 100])
def test_an_entry_is_never_served_beyond_its_hard_age_even_when_its_soft_age_is_higher(
    neighbour, clock, trusted_seconds
):
    reader = Reader(neighbour, ages_of=lambda _: Ages(soft=20, hard=5, forget=60))
    reader.trusted_seconds = trusted_seconds
    warm(reader)
    clock.shift(5.5)
    assert reader.read("a", "b") == {"a": "a2", "b": "b2"}
    neighbour.is_away = True
    clock.shift(5.5)
    assert all(entry.is_stale for entry in reader.entries("a", "b").values())


def test_a_cache_of_personal_answers_keeps_nothing_in_the_process(neighbour):
    cache = RefreshingCache("test", version=1, ages_of=lambda _: AGES, in_memory=False)
    before = cached_entries._decoded_bytes.cache_info().currsize
    reader = Reader(neighbour)
    reader.cache = cache
    warm(reader)
    assert not cache._kept
    assert cached_entries._decoded_bytes.cache_info().currsize == before


def test_other_keys_and_other_groups_are_looked_at_for_themselves(reader):
    warm(reader)
    assert reader.read("a") == {"a": "a1"}
    assert reader.read("a", "c") == {"a": "a1", "c": "c2"}
    assert reader.read("a", "b", group="other") == {"a": "a3", "b": "b3"}


def test_a_reader_may_do_with_the_answer_what_it_likes(reader):
    warm(reader)
    reader.entries("a", "b").clear()
    assert reader.read("a", "b") == {"a": "a1", "b": "b1"}


# --- what is stored -------------------------------------------------------------------------------------------------


def test_another_version_of_the_values_is_another_cache(neighbour):
    Reader(neighbour, version=1).read("a")
    assert Reader(neighbour, version=2).read("a") == {"a": "a2"}


def test_the_stamp_in_the_settings_empties_everything(reader, settings):
    reader.read("a")
    settings.CACHE_STAMP = "another"
    assert reader.read("a") == {"a": "a2"}
    settings.CACHE_STAMP = "1"
    assert reader.read("a") == {"a": "a1"}


@pytest.mark.parametrize("key", ["a b\tc\n", "ключ", "k" * 5000, "", "lock", "of:a"])
def test_any_text_is_a_key(reader, key):
    address = reader.cache.store.address("group", f"of:{key}")
    assert re.fullmatch(r"[0-9a-f]{32}", address), "memcached takes neither spaces nor 250 characters"
    assert reader.read(key) == {key: f"{key}1"}
    assert reader.read(key) == {key: f"{key}1"}


@pytest.mark.parametrize("written", [b"no zlib", zlib.compress(b"no pickle"), zlib.compress(pickle.dumps(5)), 7])
def test_what_other_code_wrote_is_asked_for_anew(reader, written):
    reader.read("b")
    django_cache.set(reader.cache.store.address("group", "of:a"), written)
    assert reader.read("a", "b") == {"a": "a2", "b": "b1"}


def test_an_entry_is_stored_small():
    entry = Entry(value=["the same words again"] * 1000, fetched_at=datetime.now(UTC))
    assert len(encoded(entry)) < 2_000


# --- a cache that is not there ---------------------------------------------------------------------------------------

BROKEN = {
    "refused connection": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
    },
    "memcached that is away": {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": "127.0.0.1:1",
    },
    "missing table": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "no_such_table"},
    "no cache at all": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}


@pytest.mark.django_db
@pytest.mark.parametrize("broken", BROKEN)
def test_without_a_cache_everybody_asks(reader, neighbour, broken):
    with override_settings(CACHES={"default": BROKEN[broken]}):
        assert reader.read("a") == {"a": "a1"}
        assert reader.read("a") == {"a": "a2"}
        assert reader.refresh("a")["a"].value == "a3"
        reader.cache.forget("group", ["a"])
        neighbour.is_away = True
        assert reader.read("a") == {}


# --- caches that processes share -------------------------------------------------------------------------------------


def test_readers_in_several_processes_ask_once_on_a_database_cache(tmp_path):
    environment = {"CACHE_URL": "dbcache://cache_entry", "DATABASE_URL": f"sqlite:///{tmp_path}/cache.sqlite3"}
    subprocess.run(
        [sys.executable, "-m", "django", "createcachetable"], env=os.environ | environment | SETTINGS, check=True
    )
    assert_asked_once(tmp_path, environment)


@pytest.mark.services
def test_readers_in_several_processes_ask_once_on_redis(tmp_path):
    url = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9")
    try:
        redis.Redis.from_url(url).ping()
    except redis.ConnectionError:
        pytest.skip("there is no Redis on this machine (REDIS_URL)")
    assert_asked_once(tmp_path, {"CACHE_URL": url, "CACHE_STAMP": str(tmp_path)})


SETTINGS = {"DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test"}
PROCESSES = 2


def assert_asked_once(directory, environment):
    command = [sys.executable, "-m", "enterprise_access.lib.tests.caller", str(directory)]
    with contextlib.ExitStack() as stack:
        callers = [
            stack.enter_context(
                subprocess.Popen(command, env=os.environ | environment | SETTINGS, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(PROCESSES)
        ]
        outs = [caller.stdout for caller in callers]
        assert [out.readline() for out in outs if out] == ["ready\n"] * PROCESSES
        (directory / "go").touch()
        answered = [out.read().strip() for out in outs if out]
    assert answered == [str(READERS)] * PROCESSES
    assert (directory / "asked").read_text() == "a,b\n"
