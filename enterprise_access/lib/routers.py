"""Database routers."""

from typing import Any


class CacheRouter:
    """Keeps the table of Django's database cache, and nothing else, in the database named "cache"."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "cache" if model._meta.app_label == "django_cache" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return (db == "cache") == (app_label == "django_cache")
