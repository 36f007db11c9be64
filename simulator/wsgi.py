"""The program as a server runs it, configured by the environment.

SIMULATOR_STATE_FILE  where the state is kept (absent: in memory)
SIMULATOR_SIGNING_JWK private RSA JWK as JSON (absent: a throwaway key)
SIMULATOR_MAILS_FOLDER where the service leaves its mails (absent: the page of mails shows none)
SIMULATOR_SERVICE_URL where the browser reaches the service that is being simulated for
SIMULATOR_ISSUER, SIMULATOR_AUDIENCE  of the tokens
SIMULATOR_EVENT_BUS_URL, SIMULATOR_EVENT_BUS_PREFIX  the Redis on which the LMS tells of logins, registrations and
                      enrollments, and what its topics begin with (absent: no event bus)

One process only (threads are fine): the world lives in memory. With gunicorn:

    gunicorn --workers 1 --worker-class gthread --threads 16 --limit-request-line 8190 --graceful-timeout 5 \\
             simulator.wsgi:app

The longer request line leaves it to the catalog to refuse one that is too long; the graceful timeout ends calls that a
fault lets hang.
"""

from __future__ import annotations

import os

from .app import create_app, simulator_of
from .tokens import AUDIENCE, ISSUER

app = create_app(
    state_file=os.environ.get("SIMULATOR_STATE_FILE") or None,
    signing_key=os.environ.get("SIMULATOR_SIGNING_JWK") or None,
    service_url=os.environ.get("SIMULATOR_SERVICE_URL", "http://127.0.0.1:8000"),
    issuer=os.environ.get("SIMULATOR_ISSUER", ISSUER),
    mails_folder=os.environ.get("SIMULATOR_MAILS_FOLDER") or None,
    audience=os.environ.get("SIMULATOR_AUDIENCE", AUDIENCE),
)
if url := os.environ.get("SIMULATOR_EVENT_BUS_URL"):
    from .event_bus import EventBus

    EventBus(url, prefix=os.environ.get("SIMULATOR_EVENT_BUS_PREFIX", "")).listen_to(simulator_of(app).world)
application = app
