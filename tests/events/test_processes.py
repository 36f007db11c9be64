"""Consumers as real processes: killed, stopped, and without a Redis."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from enterprise_access.events.tests.made import PERSONAL, login
from enterprise_access.events.tests.redis_bus import TOPIC

pytestmark = pytest.mark.services

ROOT = Path(django_settings.ROOT)
PATIENCE_SECONDS = 60


@pytest.fixture
def environment(tmp_path, redis_bus):
    """The environment of processes that share a database file and this test's bus."""
    ours = {
        "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "EVENT_BUS_REDIS_CONNECTION_URL": redis_bus.url,
        "EVENT_BUS_TOPIC_PREFIX": redis_bus.prefix,
        "EVENT_BUS_CLAIM_AFTER_SECONDS": "1",
        "EVENT_BUS_GIVE_UP_SECONDS": "1",
        "LOG_LEVEL": "DEBUG",
    }
    environment = os.environ | ours
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
    return environment


@pytest.fixture
def start(environment, tmp_path):
    """Start a consumer; whatever is left of it is killed afterwards. `output()` is what all of them said."""
    processes = []

    def start_one(*arguments, **changed):
        command = arguments or ("manage.py", "consume_topic", TOPIC, "--name", "steady")
        with (tmp_path / f"log{len(processes)}").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=environment | changed, stdout=log, stderr=log
            )
        processes.append(process)
        return process

    yield start_one
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


def output(tmp_path):
    return "".join(path.read_text() for path in tmp_path.glob("log*"))


def until(condition):
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, "This takes too long."
        time.sleep(0.05)


def seen(tmp_path):
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        return sorted(row[0] for row in database.execute("select lms_user_id from customers_learnersighting"))


def test_a_consumer_that_is_killed_before_its_commit_loses_nothing(start, redis_bus, tmp_path):
    redis_bus.send(*(login(number) for number in range(1, 51)))
    hanging = tmp_path / "hanging"
    dying = start("-m", "tests.events.dying_consumer", TOPIC, str(hanging))
    until(lambda: hanging.exists() and hanging.read_text())
    assert hanging.read_text() == "50"
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    assert (seen(tmp_path), redis_bus.pending()) == ([], 50)
    start()
    until(lambda: seen(tmp_path))
    until(lambda: redis_bus.pending() == 0)
    assert seen(tmp_path) == list(range(1, 51))
    assert not [secret for secret in PERSONAL if secret in output(tmp_path)]


def test_a_consumer_that_is_told_to_stop_finishes_what_it_has_in_hand(start, redis_bus, tmp_path):
    consumer = start()
    redis_bus.send(login(1))
    until(lambda: seen(tmp_path))
    redis_bus.send(*(login(number) for number in range(2, 500)))
    consumer.terminate()
    assert consumer.wait(timeout=PATIENCE_SECONDS) == 0
    assert redis_bus.pending() == 0


@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "consume_topic", TOPIC),
        ("manage.py", "consume_events", "-t", TOPIC, "-g", "enterprise-access", "--extra", '{"consumer_name": "one"}'),
    ],
    ids=["ours", "the stock command"],
)
def test_without_a_redis_the_process_does_not_end_in_success(start, command):
    consumer = start(*command, EVENT_BUS_REDIS_CONNECTION_URL="redis://127.0.0.1:1/0")
    assert consumer.wait(timeout=PATIENCE_SECONDS) == 1


def test_without_an_address_the_process_does_not_end_in_success(start):
    consumer = start(EVENT_BUS_REDIS_CONNECTION_URL="")
    assert consumer.wait(timeout=PATIENCE_SECONDS) != 0
