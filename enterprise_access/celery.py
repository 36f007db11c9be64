"""The Celery application. Tasks live in each app's `tasks.py` and are addressed by name."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_access.settings.production")

app = Celery("enterprise_access")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
