"""The enterprise-access service."""

from enterprise_access.celery import app as celery_app

__all__ = ["celery_app"]
