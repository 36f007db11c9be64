"""The WSGI entry point of the web process."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_access.settings.production")

application = get_wsgi_application()

# What needs the apps can only be imported now.
from enterprise_access.apps.customers.services import check_neighbours_at_start  # noqa: E402
from enterprise_access.lib.parsing import Request  # noqa: E402

application.request_class = Request
check_neighbours_at_start()
