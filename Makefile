# `make run` and `make test` need Python 3.11 or newer and make, nothing else. `make help` lists everything.

VENV := .venv
BIN := $(VENV)/bin
export EDX_REST_API_CLIENT_NAME := enterprise-access
export PIP_DISABLE_PIP_VERSION_CHECK := 1
TEST_SETTINGS := DJANGO_SETTINGS_MODULE=enterprise_access.settings.test

.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- The two commands ---------------------------------------------------------------------------------------------

run: $(VENV)/.local ## start the whole system on this machine, with a demonstration world (Ctrl-C stops it)
	@$(BIN)/python scripts/run.py

test: $(VENV)/.test ## run the test suite; needs no server and no network once installed
	$(BIN)/python -m pytest -n 2 $(ARGS)

# --- The environment ----------------------------------------------------------------------------------------------

$(VENV)/bin/python:
	@sh scripts/make_venv.sh $(VENV)

$(VENV)/.local: $(VENV)/bin/python requirements/local.txt
	@echo "Installing what the system needs (the first time takes a minute) ..."
	$(BIN)/python -m pip install -r requirements/local.txt
	@touch $@

$(VENV)/.test: $(VENV)/bin/python requirements/test.txt
	@echo "Installing what the tests need (the first time takes a minute) ..."
	$(BIN)/python -m pip install -r requirements/test.txt
	@touch $@ $(VENV)/.local

$(VENV)/.mysql: $(VENV)/.test requirements/mysql.txt
	$(BIN)/python -m pip install -r requirements/mysql.txt
	@touch $@

$(VENV)/.docs: $(VENV)/.test requirements/docs.txt
	$(BIN)/python -m pip install -r requirements/docs.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.test requirements/bench.txt
	$(BIN)/python -m pip install -r requirements/bench.txt
	@touch $@

$(VENV)/.mutation: $(VENV)/.test requirements/mutation.txt
	$(BIN)/python -m pip install -r requirements/mutation.txt
	@touch $@

requirements: $(VENV)/.test ## compile requirements/*.in into pinned requirements/*.txt
	$(BIN)/python -m pip install -r requirements/tools.txt
	for name in tools base mysql local test docs bench mutation tutor; do \
	  CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/pip-compile --quiet --no-emit-index-url --no-emit-find-links \
	    --strip-extras --allow-unsafe --output-file requirements/$$name.txt requirements/$$name.in || exit 1; \
	done

# --- What CI runs besides -----------------------------------------------------------------------------------------

quality: $(VENV)/.test ## format, lint, types, import order, migrations, deployment check, API document
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy enterprise_access simulator scripts tests benchmarks
	$(BIN)/lint-imports --no-cache
	$(TEST_SETTINGS) $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python scripts/check_deploy.py
	$(TEST_SETTINGS) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml.new
	@diff -u docs/openapi.yaml docs/openapi.yaml.new \
	  || { rm -f docs/openapi.yaml.new; echo "docs/openapi.yaml is out of date: run 'make openapi'."; exit 1; }
	@rm -f docs/openapi.yaml.new

format: $(VENV)/.test ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: $(VENV)/.test ## write docs/openapi.yaml anew, and the page made from it
	$(TEST_SETTINGS) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
	$(TEST_SETTINGS) $(BIN)/python scripts/make_reference.py

docs: $(VENV)/.docs ## build the documentation; a link that leads nowhere fails (docs/_build/html/index.html)
	$(BIN)/python -m sphinx -W --keep-going -n -E -q -b html docs docs/_build/html
	@echo "Built: docs/_build/html/index.html"

reference: $(VENV)/.test ## write the pages of docs/reference anew that are made from the code
	$(TEST_SETTINGS) $(BIN)/python scripts/make_reference.py

demo: $(VENV)/.test ## tell the main story against a freshly started system, step by step
	@$(BIN)/python scripts/demo.py

# Needs a PostgreSQL, and a Redis whose databases 9 and 10 it empties. Fails when a bar is not met. What a page load
# takes is one of the things that the capacity is reckoned with.
bench: $(VENV)/.bench ## measure everything, and judge it by the bars (FULL=1: all sizes); writes docs/benchmarks
	@code=0; $(BIN)/python -m benchmarks "$(POSTGRES_URL)" "$(REDIS_URL)" || code=$$?; \
	  $(BIN)/python scripts/capacity.py --page && exit $$code

bench-content: $(VENV)/.test ## measure reads of content against the simulated catalog; writes docs/benchmarks/content.*
	@$(BIN)/python -m benchmarks.content

# Where the servers of the database matrix are. Their test databases are made and removed by the run.
POSTGRES_URL ?= postgres://postgres@127.0.0.1:5432/postgres
REDIS_URL ?= redis://127.0.0.1:6379
MARIADB_URL ?= mysql://root:@127.0.0.1:3306/test

# Needs a PostgreSQL, a MariaDB, a Redis (EVENT_BUS_TEST_REDIS_URL, DELIVERY_REDIS_URL) and memcached on this machine.
test-services: $(VENV)/.mysql ## run the tests that need real servers, on PostgreSQL and Redis
	DATABASE_URL="$(POSTGRES_URL)" $(BIN)/python -m pytest -m services $(ARGS)

run-services: $(VENV)/.local ## start the whole system with PostgreSQL or MariaDB, and Redis, in place of the embedded parts
	@$(BIN)/python scripts/run_services.py

bench-events: $(VENV)/.test ## measure how many events a consumer takes in a second; writes docs/benchmarks/events.*
	@$(BIN)/python -m benchmarks.events "$(POSTGRES_URL)"

test-databases: $(VENV)/.mysql ## run checks, migrations and tests on SQLite, PostgreSQL and MariaDB
	@$(BIN)/python scripts/database_matrix.py "sqlite://:memory:" "$(POSTGRES_URL)" "$(MARIADB_URL)"

# --- What takes longer, or needs servers ---------------------------------------------------------------------------

SERVICE_TESTS := $(BIN)/python -m pytest -m services -p no:cacheprovider

test-model: $(VENV)/.test ## what must always hold: 10,000 steps of learners, staff, neighbours and accidents
	MODEL_STEPS=$${MODEL_STEPS:-10000} $(BIN)/python -m pytest tests/model -q

test-faults: $(VENV)/.test ## every neighbour fails in every way, at every call and behind every door; some minutes
	FAULT_KINDS=all $(BIN)/python -m pytest -m faults -q -p no:cacheprovider $(ARGS)

test-fuzz: $(VENV)/.test ## hostile values in every field, and requests made up from the API document; some minutes
	DOCUMENT_EXAMPLES=$${DOCUMENT_EXAMPLES:-12} HOSTILE_VALUES=$${HOSTILE_VALUES:-16} HOSTILE_TRIES=$${HOSTILE_TRIES:-16} \
	  $(BIN)/python -m pytest -q -p no:cacheprovider tests/fuzz tests/access/test_document.py $(ARGS)

test-concurrency: $(VENV)/.mysql ## many processes for one learner, on SQLite, PostgreSQL and MariaDB
	folder=$$(mktemp -d) && DATABASE_URL="sqlite:///$$folder/db" $(SERVICE_TESTS) tests/concurrency; \
	  code=$$?; rm -rf "$$folder"; exit $$code
	DATABASE_URL="$(POSTGRES_URL)" $(SERVICE_TESTS) tests/concurrency
	DATABASE_URL="$(MARIADB_URL)" $(SERVICE_TESTS) tests/concurrency

test-mutation: $(VENV)/.mutation ## whether the domain's tests notice each small change of its rules (ARGS="--sample 40")
	$(BIN)/python scripts/mutation.py $(ARGS)

# Starts a PostgreSQL and a Redis of its own, and connects to none that is there: of the address only the kind counts.
test-chaos: $(VENV)/.test ## kill, empty and restart everything in the middle of a storm of 500 learners; some minutes
	DATABASE_URL="$(POSTGRES_URL)" $(SERVICE_TESTS) tests/chaos

test-browser: $(VENV)/.test ## what people see, in a real browser (BROWSER=/usr/bin/chromium)
	$(BIN)/python -m pytest -m browser -p no:cacheprovider tests/browser $(ARGS)

screenshots: $(VENV)/.test ## take the pictures of the docs anew (docs/images/story-*.png), by telling the story
	SCREENSHOTS=1 $(BIN)/python -m pytest -m browser -p no:cacheprovider tests/browser/test_story.py $(ARGS)

bench-first-learner: $(VENV)/.test ## seconds from a fresh copy to a learner enrolled, in a browser; some minutes
	@$(BIN)/python scripts/measure_first_learner.py

bench-portal: $(VENV)/.test ## measure a page load of the learner portal; writes docs/benchmarks/portal.*
	@$(BIN)/python -m benchmarks.portal

bench-storm: $(VENV)/.bench ## a login storm on PostgreSQL, Redis and real workers; writes docs/benchmarks/storm.*
	@$(BIN)/python -m benchmarks.storm "$(POSTGRES_URL)"

# Needs a PostgreSQL and a Redis, whose database 9 it empties. PAGE_STORM_SECONDS=60 is enough while you develop.
bench-page-storm: $(VENV)/.bench ## newcomers on portal pages under the upstream throttles; writes docs/benchmarks/page_storm.*
	@$(BIN)/python -m benchmarks.page_storm "$(POSTGRES_URL)" "$(REDIS_URL)/9"
	@$(BIN)/python scripts/capacity.py --page

test-tutor: $(VENV)/.test $(VENV)-tutor/.installed ## render the Tutor plugin with Tutor, and read every file of it
	cd deploy/tutor && SERVICE_PYTHON=$(CURDIR)/$(BIN)/python $(CURDIR)/$(VENV)-tutor/bin/python -m pytest \
	  -q -p no:cacheprovider --rootdir . --confcutdir . -c pyproject.toml tests

$(VENV)-tutor/.installed: requirements/tutor.txt deploy/tutor/pyproject.toml
	@sh scripts/make_venv.sh $(VENV)-tutor
	$(VENV)-tutor/bin/python -m pip install -r requirements/tutor.txt
	$(VENV)-tutor/bin/python -m pip install --no-deps --editable deploy/tutor
	@touch $@

capacity: $(VENV)/.test ## how much an installation can take, and what gives in first (ARGS="--learners 1000000 ...")
	@$(BIN)/python scripts/capacity.py $(ARGS)

capacity-page: $(VENV)/.test ## write the table of docs/capacity from what was measured
	@$(BIN)/python scripts/capacity.py --page

# Needs a PostgreSQL and a Redis, whose database 10 it empties.
bench-api: $(VENV)/.bench ## learner-status and the list of intentions beside their floor; writes docs/benchmarks/api.*
	@$(BIN)/python -m benchmarks.api "$(POSTGRES_URL)"

# Needs a PostgreSQL. FULL=1 takes 1,000,000 attempts, and some minutes.
bench-overview: $(VENV)/.test ## the admin's overview and long lists beside an empty list; writes docs/benchmarks/overview.*
	@$(BIN)/python -m benchmarks.overview "$(POSTGRES_URL)"

clean: ## forget the environment and the data of `make run`
	rm -rf $(VENV) $(VENV)-tutor var

.PHONY: test-faults test-fuzz capacity capacity-page docs reference bench bench-api bench-overview help run test test-browser screenshots bench-first-learner bench-portal requirements quality format openapi demo bench-content test-databases test-model test-concurrency test-mutation test-chaos bench-storm bench-page-storm clean test-services run-services bench-events test-tutor
