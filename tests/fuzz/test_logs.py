"""What somebody sends may end in a log line, and is looked through for addresses there: in no time, however long."""

import logging
import time

import pytest

from enterprise_access.lib.logs import PlainLine, without_secrets

LONG = 200_000


@pytest.mark.parametrize("piece", ["x", "x.", "%40", "a%40", "a@", "a@b.", "eyJ", "eyJ-", "-", "a@b.cc_"])
def test_long_lines_cost_no_more_than_their_length(piece):
    record = logging.LogRecord("a", logging.ERROR, __file__, 1, "%s", (piece * LONG,), None)
    started = time.process_time()
    PlainLine("%(message)s").format(record)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com",
        "<ada@example.com>",
        "a%40example.com",
        "user=ada@example.com_ben@example.org",
        "ada@example.com,ben@example.org",
        "ada@ben@example.com",
        "x" * 1000 + "@example.com",
        "...ada+1@sub.example.co.uk/",
    ],
)
def test_addresses_are_struck_out_wherever_they_stand(text):
    assert "example" not in without_secrets(text)
