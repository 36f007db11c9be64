# `make run` and `make test` need Python 3.11 or newer and make, nothing else. `make help` lists all commands; the word
# before the bar is the group that a command is listed in.

VENV := .venv
BIN := $(VENV)/bin
export EDX_REST_API_CLIENT_NAME := enterprise-access
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Errors and warnings are told, and the packages are not: a step says in one line what it installs.
INSTALL := $(BIN)/python -m pip install --quiet
TEST_SETTINGS := DJANGO_SETTINGS_MODULE=enterprise_access.settings.test

.DEFAULT_GOAL := help

help: ## Run | list the commands
	@awk -F ':.*## ' -v order='Run,Test,Long tests,Quality and documentation,Benchmarks,Other' ' \
	  /^[a-z-]+:.*## / { \
	    if (split($$2, part, " [|] ") < 2) { part[2] = part[1]; part[1] = "Other" } \
	    lines[part[1]] = lines[part[1]] sprintf("  make %-20s %s\n", $$1, part[2]) \
	  } \
	  END { \
	    count = split(order, names, ","); \
	    for (i = 1; i <= count; i++) if (lines[names[i]]) printf "%s%s\n%s", (i > 1 ? "\n" : ""), names[i], lines[names[i]] \
	  }' $(MAKEFILE_LIST)

# --- The two commands ---------------------------------------------------------------------------------------------

run: $(VENV)/.local ## Run | start the whole system on this machine, with demonstration data (Ctrl-C stops it)
	@$(BIN)/python scripts/run.py

test: $(VENV)/.test ## Test | run the test suite; needs no server and, once installed, no network
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

# --- The environment ----------------------------------------------------------------------------------------------

$(VENV)/bin/python:
	@sh scripts/make_venv.sh $(VENV)

$(VENV)/.local: $(VENV)/bin/python requirements/local.txt
	@echo "Installing what the system needs (the first time takes a minute) ..."
	@$(INSTALL) -r requirements/local.txt
	@touch $@

$(VENV)/.test: $(VENV)/bin/python requirements/test.txt
	@echo "Installing what the tests need (the first time takes a minute) ..."
	@$(INSTALL) -r requirements/test.txt
	@touch $@ $(VENV)/.local

$(VENV)/.mysql: $(VENV)/.test requirements/mysql.txt
	@echo "Installing the driver for MySQL and MariaDB ..."
	@$(INSTALL) -r requirements/mysql.txt
	@touch $@

$(VENV)/.docs: $(VENV)/.test requirements/docs.txt
	@echo "Installing what the documentation is built with ..."
	@$(INSTALL) -r requirements/docs.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.test requirements/bench.txt
	@echo "Installing what the benchmarks need ..."
	@$(INSTALL) -r requirements/bench.txt
	@touch $@

$(VENV)/.mutation: $(VENV)/.test requirements/mutation.txt
	@echo "Installing what tries the mutants ..."
	@$(INSTALL) -r requirements/mutation.txt
	@touch $@

requirements: $(VENV)/.test ## Quality and documentation | compile requirements/*.in into pinned requirements/*.txt
	@echo "Installing what compiles the requirements ..."
	@$(INSTALL) -r requirements/tools.txt
	for name in tools base mysql local test docs bench mutation tutor; do \
	  CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/pip-compile --quiet --no-emit-index-url --no-emit-find-links \
	    --strip-extras --allow-unsafe --output-file requirements/$$name.txt requirements/$$name.in || exit 1; \
	done

# --- What CI runs besides -----------------------------------------------------------------------------------------

quality: $(VENV)/.test ## Quality and documentation | format, lint, types, import order, migrations, deployment check, API document
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

format: $(VENV)/.test ## Quality and documentation | format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

messages: $(VENV)/.test ## Quality and documentation | update and compile the translations of mails and messages (needs GNU gettext)
	cd enterprise_access && $(TEST_SETTINGS) ../$(BIN)/python ../manage.py makemessages --all -e html,txt,py --ignore "*/tests/*" --no-location --no-wrap --no-obsolete
	cd enterprise_access && $(TEST_SETTINGS) ../$(BIN)/python ../manage.py compilemessages

openapi: $(VENV)/.test ## Quality and documentation | regenerate docs/openapi.yaml and the pages made from it
	$(TEST_SETTINGS) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
	$(TEST_SETTINGS) $(BIN)/python scripts/make_reference.py

docs: $(VENV)/.docs ## Quality and documentation | build the documentation (docs/_build/html/index.html); a broken link fails
	$(BIN)/python -m sphinx -W --keep-going -n -E -q -b html docs docs/_build/html
	@echo "Built: docs/_build/html/index.html"

reference: $(VENV)/.test ## Quality and documentation | regenerate the pages of docs/reference that are made from the code
	$(TEST_SETTINGS) $(BIN)/python scripts/make_reference.py

demo: $(VENV)/.test ## Run | tell the main story against a new system, and check every step
	@$(BIN)/python scripts/demo.py

# Needs a PostgreSQL, and a Redis whose databases 9 and 10 it empties. Fails when a bar is not met. What a page load
# takes is one of the things that the capacity is reckoned with.
bench: $(VENV)/.bench ## Benchmarks | measure everything, and compare it with the bars (FULL=1: all sizes)
	@code=0; $(BIN)/python -m benchmarks "$(POSTGRES_URL)" "$(REDIS_URL)" || code=$$?; \
	  $(BIN)/python scripts/capacity.py --page && exit $$code

bench-content: $(VENV)/.test ## Benchmarks | reads of content from the simulated catalog
	@$(BIN)/python -m benchmarks.content

# Where the servers of the database matrix are. Their test databases are made and removed by the run.
POSTGRES_URL ?= postgres://postgres@127.0.0.1:5432/postgres
REDIS_URL ?= redis://127.0.0.1:6379
MARIADB_URL ?= mysql://root:@127.0.0.1:3306/test

# Needs a PostgreSQL, a MariaDB, a Redis (EVENT_BUS_TEST_REDIS_URL, DELIVERY_REDIS_URL) and memcached on this machine.
test-services: $(VENV)/.mysql ## Test | run the tests that need PostgreSQL and Redis
	DATABASE_URL="$(POSTGRES_URL)" $(BIN)/python -m pytest -m services $(ARGS)

run-services: $(VENV)/.local ## Run | start the whole system with PostgreSQL or MariaDB, and Redis
	@$(BIN)/python scripts/run_services.py

bench-events: $(VENV)/.test ## Benchmarks | events per second of a consumer
	@$(BIN)/python -m benchmarks.events "$(POSTGRES_URL)"

test-databases: $(VENV)/.mysql ## Test | run checks, migrations and tests on SQLite, PostgreSQL and MariaDB
	@$(BIN)/python scripts/database_matrix.py "sqlite://:memory:" "$(POSTGRES_URL)" "$(MARIADB_URL)"

# --- What takes longer, or needs servers ---------------------------------------------------------------------------

SERVICE_TESTS := $(BIN)/python -m pytest -m services -p no:cacheprovider

test-model: $(VENV)/.test ## Long tests | 10,000 random steps of learners, staff, upstream services and failures; also with credit; some minutes
	MODEL_STEPS=$${MODEL_STEPS:-10000} $(BIN)/python -m pytest -q tests/model \
	  enterprise_access/apps/redemption/tests/test_model.py

test-model-mends: $(VENV)/.test ## Long tests | remove fixes from a copy, and check that the model finds each; two minutes
	$(BIN)/python scripts/mends_out.py $(ARGS)

test-faults: $(VENV)/.test ## Long tests | every upstream service fails in every way, for every entry point; some minutes
	FAULT_KINDS=all $(BIN)/python -m pytest -m faults -q -p no:cacheprovider $(ARGS)

test-fuzz: $(VENV)/.test ## Long tests | hostile values in every field, and requests generated from the API document; some minutes
	DOCUMENT_EXAMPLES=$${DOCUMENT_EXAMPLES:-12} HOSTILE_VALUES=$${HOSTILE_VALUES:-16} HOSTILE_TRIES=$${HOSTILE_TRIES:-16} \
	  $(BIN)/python -m pytest -q -p no:cacheprovider tests/fuzz tests/access/test_document.py \
	  tests/access/test_claims.py $(ARGS)

test-concurrency: $(VENV)/.mysql ## Long tests | many processes for one learner, on SQLite, PostgreSQL and MariaDB
	folder=$$(mktemp -d) && DATABASE_URL="sqlite:///$$folder/db" $(SERVICE_TESTS) tests/concurrency; \
	  code=$$?; rm -rf "$$folder"; exit $$code
	DATABASE_URL="$(POSTGRES_URL)" $(SERVICE_TESTS) tests/concurrency
	DATABASE_URL="$(MARIADB_URL)" $(SERVICE_TESTS) tests/concurrency

test-mutation: $(VENV)/.mutation ## Long tests | whether the domain's tests notice small changes of its rules (ARGS="--sample 40")
	$(BIN)/python scripts/mutation.py $(ARGS)

# Starts a PostgreSQL and a Redis of its own, and connects to none that is there: of the address only the kind counts.
test-chaos: $(VENV)/.test ## Long tests | kill, empty and restart every part while 500 learners sign in; some minutes
	DATABASE_URL="$(POSTGRES_URL)" $(SERVICE_TESTS) tests/chaos

test-browser: $(VENV)/.test ## Test | test the admin and the portal in a real browser (BROWSER=/usr/bin/chromium)
	$(BIN)/python -m pytest -m browser -p no:cacheprovider tests/browser $(ARGS)

screenshots: $(VENV)/.test ## Quality and documentation | take the pictures of the documentation again (docs/images/*.png)
	SCREENSHOTS=1 $(BIN)/python -m pytest -m browser -p no:cacheprovider tests/browser/test_story.py $(ARGS)
	SCREENSHOTS=1 $(BIN)/python -m pytest -m browser -p no:cacheprovider tests/browser/test_customer_story.py $(ARGS)

bench-first-learner: $(VENV)/.test ## Benchmarks | seconds from a fresh clone to an enrolled learner; some minutes
	@$(BIN)/python scripts/measure_first_learner.py

bench-portal: $(VENV)/.test ## Benchmarks | a page load of the learner portal
	@$(BIN)/python -m benchmarks.portal

bench-storm: $(VENV)/.bench ## Benchmarks | many logins, on PostgreSQL, Redis and real workers
	@$(BIN)/python -m benchmarks.storm "$(POSTGRES_URL)"

# Needs a PostgreSQL and a Redis, whose database 9 it empties. PAGE_STORM_SECONDS=60 is enough while you develop.
bench-page-storm: $(VENV)/.bench ## Benchmarks | new learners on portal pages, with the throttles of the upstream services
	@$(BIN)/python -m benchmarks.page_storm "$(POSTGRES_URL)" "$(REDIS_URL)/9"
	@$(BIN)/python scripts/capacity.py --page

# Needs a PostgreSQL and a Redis, whose database 9 it empties. Two minutes.
bench-fairness: $(VENV)/.bench ## Benchmarks | waiting time of another customer's learner beside a backlog of 10,000
	@$(BIN)/python -m benchmarks.fairness "$(POSTGRES_URL)" "$(REDIS_URL)/9"

# Needs a PostgreSQL and a Redis, whose database 9 it empties. Two minutes.
bench-redeeming: $(VENV)/.bench ## Benchmarks | 200 learners redeem with money for 150
	@$(BIN)/python -m benchmarks.redeeming "$(POSTGRES_URL)" "$(REDIS_URL)/9"

test-tutor: $(VENV)/.test $(VENV)-tutor/.installed ## Test | render the Tutor plugin with Tutor, and check every file
	cd deploy/tutor && SERVICE_PYTHON=$(CURDIR)/$(BIN)/python $(CURDIR)/$(VENV)-tutor/bin/python -m pytest \
	  -q -p no:cacheprovider --rootdir . --confcutdir . -c pyproject.toml tests

$(VENV)-tutor/.installed: requirements/tutor.txt deploy/tutor/pyproject.toml
	@sh scripts/make_venv.sh $(VENV)-tutor
	@echo "Installing Tutor and the plugin ..."
	@$(VENV)-tutor/bin/python -m pip install --quiet -r requirements/tutor.txt
	@$(VENV)-tutor/bin/python -m pip install --quiet --no-deps --editable deploy/tutor
	@touch $@

capacity: $(VENV)/.test ## Benchmarks | how many learners an installation can serve, and its first limit (ARGS="--workers 8")
	@$(BIN)/python scripts/capacity.py $(ARGS)

capacity-page: $(VENV)/.test ## Benchmarks | write the table of docs/capacity from the measurements
	@$(BIN)/python scripts/capacity.py --page

# Needs a PostgreSQL and a Redis, whose database 10 it empties.
bench-api: $(VENV)/.bench ## Benchmarks | learner-status and the list of intentions
	@$(BIN)/python -m benchmarks.api "$(POSTGRES_URL)"

# Needs a PostgreSQL. FULL=1 takes 1,000,000 attempts, and some minutes.
bench-overview: $(VENV)/.test ## Benchmarks | the admin's overview and long lists
	@$(BIN)/python -m benchmarks.overview "$(POSTGRES_URL)"

clean: ## Run | delete the environment and the data of `make run`
	rm -rf $(VENV) $(VENV)-tutor var

.PHONY: messages test-faults test-fuzz capacity capacity-page docs reference bench bench-api bench-overview help run test test-browser screenshots bench-first-learner bench-portal requirements quality format openapi demo bench-content test-databases test-model test-model-mends test-concurrency test-mutation test-chaos bench-storm bench-page-storm bench-fairness bench-redeeming clean test-services run-services bench-events test-tutor
