"""The Celery application. Tasks live in each app's `tasks.py` and are addressed by name."""

import os
from contextvars import Token
from typing import Any

from celery import Celery
from celery.signals import before_task_publish, task_postrun, task_prerun, worker_shutting_down

from enterprise_access.lib import request_ids, stopping

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_access.settings.production")

app = Celery("enterprise_access")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def _watch(**_signal: object) -> None:
    """Watch the tasks; what that needs can only be imported once the settings are known."""
    from enterprise_access.lib.monitoring import watch_tasks

    watch_tasks()


_HEADER = "asked_by_request"
_tokens: dict[str, Token[str | None]] = {}


@before_task_publish.connect
def _name_request(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Let the message carry the id of the request that sends it."""
    if headers is not None and (request_id := request_ids.current()):
        headers[_HEADER] = request_id


@task_prerun.connect
def _take_request_id(task_id: str, task: Any, **_: Any) -> None:
    """Work under the id of the request that asked, or under the task's own."""
    asked_by = getattr(task.request, _HEADER, None) or request_ids.current()
    _tokens[task_id] = request_ids.begin(request_ids.sane_or_new(asked_by or task_id))


@task_postrun.connect
def _leave_request_id(task_id: str, **_: Any) -> None:
    if (token := _tokens.pop(task_id, None)) is not None:
        request_ids.end(token)


@worker_shutting_down.connect
def _stop_soon(**_signal: Any) -> None:
    stopping.begin()


@task_prerun.connect
def _hear_signals(**_: Any) -> None:
    stopping.hear_signals()
