"""What the web processes do besides serving. gunicorn reads this file when it is started in this folder."""

from typing import Any


def on_starting(server: Any) -> None:  # noqa: ARG001 (gunicorn's signature)
    """Forget what the processes of an earlier run have left in PROMETHEUS_MULTIPROC_DIR, if that is set."""
    from enterprise_access.lib import metrics

    metrics.forget_earlier_run()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Forget the gauges of a web process that has ended."""
    from enterprise_access.lib import metrics

    metrics.forget_process(worker.pid)
