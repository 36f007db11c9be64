"""What the web processes do besides serving. gunicorn reads this file when it is started in this folder."""

import os
from typing import Any

# A request spends its time waiting: for an upstream service, for a worker that enrolls a learner, for a client that
# sends slowly. With threads it holds up no one else, the health checks least of all. Each thread may keep a connection
# to the database: WEB_CONCURRENCY x WEB_THREADS for each container (docs/how-to/web-processes.rst).
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "32"))
# A socket in the home of whoever starts it, to look at the processes and to change their number: no one uses it, the
# user of the image has no home, and two servers of one user would take it from each other.
control_socket_disable = True

# A token that names many roles is long: 16 KiB, and the name of its header. The default is half of that.
limit_request_field_size = 16 * 1024 + 256
limit_request_line = 8190


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Let the errors of gunicorn itself, before any of our code runs, have the shape of all our errors."""
    from enterprise_access.lib import server_errors

    server_errors.install()


def on_starting(server: Any) -> None:  # noqa: ARG001 (gunicorn's signature)
    """Forget what the processes of an earlier run have left in PROMETHEUS_MULTIPROC_DIR, if that is set."""
    from enterprise_access.lib import metrics

    metrics.forget_earlier_run()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Forget the gauges of a web process that has ended."""
    from enterprise_access.lib import metrics

    metrics.forget_process(worker.pid)
