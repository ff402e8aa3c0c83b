PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
# One test process more than cores: many tests wait for processes that they started.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist worksteal
QUICK := tests/unit tests/db tests/web tests/contract
# Tests start hundreds of processes, each of which would compile the whole program again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo check docs test test-all test-browser test-long test-postgres integration mutations lint install clean packaging wheel debian-package one-file benchmarks bench bench-postgres load schema email-gallery email-check email-goldens email-blocks email-looks email-support messages soak months guide-pictures desk-looks lock audit licences site

help:
	@echo "make demo           send the sample organisation's weekly issue to files, then serve the desk (ARGS=--no-serve to stop there)"
	@echo "make check          the edit loop: style, types, layers, and the tests nearest to your changes"
	@echo "make test           run the tests, on SQLite and, if its binaries are installed, on PostgreSQL (22 minutes on two cores)"
	@echo "make test-long      run the tests that start processes, kill them or wait for clocks"
	@echo "make test-browser   use every page in Chromium"
	@echo "make test-postgres  run all database and crash tests on PostgreSQL"
	@echo "make test-all       run these four, before a release"
	@echo "make lint           check style, types and layers"
	@echo "make messages       update the Spanish catalogue"
	@echo "make docs           write the references of the commands, the API and the codes about the sender again"
	@echo "make schema         write the tables of a new SQLite database again, after a change of a migration"
	@echo "make site           build the documentation as a site in build/site, which needs no server (seconds)"
	@echo "make integration    run the product against a real WordPress, calendar, mail and other servers (an hour on two cores)"
	@echo "make soak           send three issues to 200,000 people, three times, while everything fails at random (at most 20 minutes)"
	@echo "make months         let an organisation run by itself for some months of a simulated clock (ARGS=\"--months 3 --seed 2\"; a minute for two weeks)"
	@echo "make benchmarks     send and kill this system beside others on an imitation of a provider (quiet machine, 15 minutes)"
	@echo "make bench          measure every part at the sizes of docs/reference/performance.md on SQLite (quiet machine, an hour or two)"
	@echo "make bench-postgres the same on a PostgreSQL of its own (ARGS=\"--only pages --recipients 1000000\" for one part)"
	@echo "make load           20 staff, 500 readers and a send to 1,000,000 people at once, for 10 minutes on each database"
	@echo "make mutations      read each kind of document damaged in 1,000 ways (some minutes)"
	@echo "make email-check    judge every mail layout: axe, LibreOffice, validators, SpamAssassin, size (some minutes)"
	@echo "make email-gallery  draw every mail layout in every brand on contact sheets (needs Chromium)"
	@echo "make email-goldens  accept how mails look and are read aloud now; read the difference before you commit it"
	@echo "make email-blocks   write docs/reference/email-blocks.md and its pictures again (needs Chromium)"
	@echo "make email-looks    draw the finished looks for the desk and the docs again (needs Chromium)"
	@echo "make email-support  write docs/reference/email-support.md again: which mail programs show what the mails use"
	@echo "make desk-looks     look at every page wide and narrow, light and dark, in English and Spanish (needs Chromium, 15 minutes)"
	@echo "make guide-pictures take the pictures of the guides and the tutorial again (needs Chromium)"
	@echo "make wheel          build the wheel, install it into an empty environment and run it there (some minutes, needs the network)"
	@echo "make debian-package build the Debian package and use it on a bare Debian (as root, needs debootstrap and the network; some minutes)"
	@echo "make one-file       build the program as one file for Linux and run it where nothing else is installed (as root; some minutes, needs the network)"
	@echo "make packaging      these three, one after the other (as root)"
	@echo "make lock           pin the newest allowed versions of all libraries in requirements/"
	@echo "make audit          look for known weaknesses in the pinned libraries (needs the network)"
	@echo "make licences       write docs/reference/licences.md, and fail if a licence is not allowed"
	@echo "make install        put the \`newsletter\` command into .venv/bin"
	@echo "make clean          remove what these made; the data of an installation in var/ stay"

install: $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/newsletter demo $(ARGS)

test: $(VENV)/.dev
	$(PYTEST) -m "not long and not browser" $(QUICK) $(ARGS)
	$(BIN)/python -m tests.support.postgres_if_installed $(PYTEST) -m "postgres and not long" tests/db $(ARGS)

test-long: $(VENV)/.dev
	$(PYTEST) -m long $(QUICK) $(ARGS)
	$(PYTEST) tests/crash $(ARGS)

test-browser: $(VENV)/.dev
	$(PYTEST) -m browser $(ARGS)

test-postgres: $(VENV)/.dev
	$(BIN)/python -m tests.support.postgres_if_installed $(PYTEST) tests/db tests/crash $(ARGS)

test-all: test test-long test-browser test-postgres

check: lint
	files="$$($(BIN)/python -m tests.support.nearest_tests)" && $(PYTEST) -m "not long and not browser" $$files $(ARGS)

docs: $(VENV)/.dev
	$(BIN)/python -m scripts.commands_reference
	$(BIN)/python -m scripts.sender_codes_reference
	$(BIN)/python -m scripts.api_reference

schema: $(VENV)/.dev
	$(BIN)/python -m scripts.schema_snapshot

site: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --config-file scripts/docs_site/mkdocs.yml

LOCK := uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url --custom-compile-command "make lock"

lock: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/$(LOCK) --extra ses --extra scale --extra assistant --generate-hashes -o requirements/runtime.txt
	$(BIN)/$(LOCK) --extra dev -o requirements/development.txt
	$(BIN)/$(LOCK:pyproject.toml=requirements/load.in) --generate-hashes -o requirements/load.txt

audit: $(VENV)/.dev
	$(PYTHON) -m venv --clear $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3'
	$(VENV)/audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements/runtime.txt
	$(VENV)/audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements/load.txt
	rm -rf $(VENV)/audit

licences: $(VENV)/.dev
	$(BIN)/python -m scripts.licences

benchmarks: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

# The order of the parts in docs/reference/performance.md: those that 1,000,000 people slow down, then the others.
BENCH_SIZES = --only sends,freeze,pages,import,segments,api --recipients 1000000
BENCH_PARTS = --only full_bodies,growth,compile,webhooks,outbound,recovery,unsubscribing,people_search,preview,start,memory --recipients 200000

bench: $(VENV)/.dev
	$(BIN)/newsletter bench $(if $(ARGS),$(ARGS),$(BENCH_SIZES))
	$(if $(ARGS),,$(BIN)/newsletter bench $(BENCH_PARTS))

bench-postgres: $(VENV)/.dev
	$(BIN)/python -m tests.support.postgres_if_installed --as-recommended $(BIN)/python -m scripts.bench_on_postgres $(if $(ARGS),$(ARGS),$(BENCH_SIZES))
	$(if $(ARGS),,$(BIN)/python -m tests.support.postgres_if_installed --as-recommended $(BIN)/python -m scripts.bench_on_postgres $(BENCH_PARTS))

load: $(VENV)/.dev $(VENV)/load/.done
	$(BIN)/python -m benchmarks.load $(ARGS)
	$(BIN)/python -m tests.support.postgres_if_installed --as-recommended $(BIN)/python -m benchmarks.load $(ARGS)

wheel: $(VENV)/.dev
	$(BIN)/python -m tests.packaging.check

debian-package: $(VENV)/.dev
	$(BIN)/python -m scripts.debian_package.build
	$(BIN)/python -m tests.packaging.debian

packaging: wheel debian-package one-file

one-file: $(VENV)/.dev
	$(BIN)/python -m scripts.one_file.build
	$(BIN)/python -m tests.packaging.one_file

integration: $(VENV)/.dev
	$(BIN)/python -m tests.integration.install
	NEWSLETTER_INTEGRATION=1 $(BIN)/pytest -n 2 -rs tests/integration $(ARGS)

email-gallery: $(VENV)/.dev
	$(BIN)/python -m tests.gallery.run $(ARGS)

email-check: $(VENV)/.dev
	$(BIN)/python -m tests.gallery.check $(ARGS)

email-goldens: $(VENV)/.dev
	NEWSLETTER_UPDATE_GOLDENS=1 $(BIN)/pytest -q tests/unit/rendering/test_golden.py tests/unit/rendering/test_screen_reader.py tests/browser/test_screen_reader_pages.py

email-support: $(VENV)/.dev
	$(BIN)/python -m tests.gallery.email_support

email-blocks: $(VENV)/.dev
	$(BIN)/python -m tests.gallery.blocks $(ARGS)

email-looks: $(VENV)/.dev
	$(BIN)/python -m tests.gallery.looks

mutations: $(VENV)/.dev
	NEWSLETTER_MUTATIONS=1000 $(BIN)/pytest tests/unit/content/test_mutations.py

messages: $(VENV)/.dev
	$(BIN)/python -m scripts.messages

guide-pictures: $(VENV)/.dev
	NEWSLETTER_GUIDE_PICTURES=1 $(BIN)/pytest -q -p no:randomly tests/browser/test_week.py tests/browser/test_tutorial.py tests/browser/test_desk_pages.py tests/browser/test_editor_blocks.py -k "week or tutorial or picture or show_to"

desk-looks: $(VENV)/.dev
	NEWSLETTER_ALL_LOOKS=1 $(BIN)/pytest -n 2 tests/browser/test_desk_pages.py tests/browser/test_public_pages.py $(ARGS)

soak: $(VENV)/.dev
	$(BIN)/python -m tests.soak.kills
	$(BIN)/python -m tests.soak.kills --sqlite
	$(BIN)/python -m tests.soak.run $(ARGS)

months: $(VENV)/.dev
	$(BIN)/python -m tests.months.run $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.gallery.mjml_lint

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml requirements/development.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements/development.txt -e '.[dev]'
	@touch $@ $(VENV)/.demo

# An environment of its own: its libraries change what `requests` asks for, and the tests would see it.
$(VENV)/load/.done: requirements/load.txt
	$(PYTHON) -m venv --clear $(VENV)/load
	$(VENV)/load/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/load.txt
	@touch $@

clean:
	rm -rf $(VENV) var/demo build dist .integration .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis
