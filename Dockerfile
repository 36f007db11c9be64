# The service as one image: `docker build --tag enterprise-access .`, see docker-compose.yml for how its parts run.
# The simulated neighbours are a second image: `docker build --target simulator --tag enterprise-access-simulator .`
ARG PYTHON=python:3.12-slim-bookworm

# --- What has to be compiled, and the compilers, stay in here --------------------------------------------------------
FROM ${PYTHON} AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends default-libmysqlclient-dev gcc libc6-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements/base.txt requirements/mysql.txt /build/
RUN pip install --requirement /build/base.txt --requirement /build/mysql.txt

FROM build AS build-simulator
COPY requirements/local.txt /build/
RUN pip install --requirement /build/local.txt

# --- What both images share ------------------------------------------------------------------------------------------
FROM ${PYTHON} AS runtime
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --uid 10001 --no-create-home --shell /usr/sbin/nologin app
# gunicorn keeps its workers' heartbeats in HOME's temporary folder otherwise, which may be a slow disk.
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 GUNICORN_CMD_ARGS="--worker-tmp-dir /dev/shm"
WORKDIR /app

# --- The simulated neighbours ----------------------------------------------------------------------------------------
FROM runtime AS simulator
COPY --from=build-simulator /venv /venv
COPY simulator simulator
RUN python -m compileall -q simulator && install --directory --owner app --group app /var/lib/simulator
ENV SIMULATOR_STATE_FILE=/var/lib/simulator/world.jsonl
VOLUME /var/lib/simulator
USER 10001:10001
EXPOSE 8900
HEALTHCHECK --interval=15s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8900/', timeout=2)"]
# One process: its world lives in memory.
CMD ["gunicorn", "--bind", "0.0.0.0:8900", "--threads", "8", "--no-control-socket", "simulator.wsgi:application"]

# --- The service -----------------------------------------------------------------------------------------------------
FROM runtime AS service
COPY --from=build /venv /venv
COPY manage.py gunicorn.conf.py ./
COPY scripts/check_alive.py scripts/make_compose_env.py scripts/
COPY enterprise_access enterprise_access
ENV DJANGO_SETTINGS_MODULE=enterprise_access.settings.production EDX_REST_API_CLIENT_NAME=enterprise-access
# Collecting static files needs settings, and none of their values: these exist for this one line only.
RUN python -m compileall -q enterprise_access \
    && ALLOWED_HOSTS=build CACHE_URL=dummycache:// CATALOG_BASE_URL=http://build CELERY_BROKER_URL=memory:// \
       DATABASE_URL=sqlite://:memory: JWT_AUDIENCE=build JWT_ISSUER=build JWT_PUBLIC_SIGNING_JWK_SET='{"keys": []}' \
       LICENSE_MANAGER_BASE_URL=http://build LMS_BASE_URL=http://build OAUTH2_CLIENT_ID=build \
       OAUTH2_CLIENT_SECRET=build SECRET_KEY=build \
       python manage.py collectstatic --no-input --verbosity 0
USER 10001:10001
EXPOSE 8000
# Alive, and not ready: a container is not to be thrown away because its database is. Whoever sends requests here should
# ask /health/ready/ (docker-compose.yml does).
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s CMD ["python", "scripts/check_alive.py"]
# Where the processes of a container add up what they count; cleared at the start. See docs/reference/metrics.rst.
ENV PROMETHEUS_MULTIPROC_DIR=/tmp/metrics
# WEB_CONCURRENCY is gunicorn's own name for the number of worker processes; WEB_THREADS is ours (gunicorn.conf.py). A
# container opens at most as many connections to the database as the two multiplied.
ENV WEB_CONCURRENCY=2 WEB_THREADS=32
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "enterprise_access.wsgi:application"]
