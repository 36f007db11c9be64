"""Several processes of one machine: what they count is told together, and who has ended is forgotten."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

COUNTS = """
from enterprise_access.lib import metrics
metrics.ATTEMPTS.labels("blocked", "run_ended").inc(2)
metrics.NEIGHBOUR_STATE.labels("lms").set(2)
"""
TELLS = "from enterprise_access.lib import metrics; print(metrics.process_metrics().decode())"


@pytest.fixture
def run(tmp_path):
    def run_code(code):
        environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "made" / "by itself")}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    return run_code


ATTEMPTS = 'enterprise_access_attempts_total{outcome="blocked",reason="run_ended"}'


def test_processes_add_up(run):
    run(COUNTS)
    run(COUNTS)
    assert f"{ATTEMPTS} 4.0" in run(TELLS)


def test_a_process_that_has_ended_leaves_its_counts_and_not_its_state(run):
    pid = run(f"{COUNTS}\nimport os; print(os.getpid())").strip()
    assert 'enterprise_access_neighbour_state{service="lms"} 2.0' in run(TELLS)
    told = run(f"from enterprise_access.lib import metrics; metrics.forget_process({pid}); {TELLS}")
    assert "enterprise_access_neighbour_state{" not in told
    assert f"{ATTEMPTS} 2.0" in told


def test_what_an_earlier_run_left_is_forgotten(run):
    run(COUNTS)
    told = run(f"from enterprise_access.lib import metrics; metrics.forget_earlier_run(); {TELLS}")
    assert ATTEMPTS not in told


def test_a_worker_tells_on_a_port_of_its_own(run):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    run(
        f"{COUNTS}\nmetrics.serve({port})\nimport urllib.request\n"
        f"assert b'run_ended' in urllib.request.urlopen('http://127.0.0.1:{port}/metrics', timeout=5).read()"
    )


def test_whose_calls_are_counted_is_known(run):
    asks = "from enterprise_access.lib import metrics; print(metrics.counts_all_processes())"
    assert run(asks).strip() == "True"
    alone = os.environ | {"PROMETHEUS_MULTIPROC_DIR": ""}
    done = subprocess.run([sys.executable, "-c", asks], cwd=ROOT, env=alone, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


def test_an_empty_name_names_no_folder(tmp_path):
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": "", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", COUNTS], cwd=tmp_path, env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
