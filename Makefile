# Every target does all the set-up it needs, and none uses the network when everything is in place.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

# What Qt needs to show a window. Without the first six not even its core can be imported.
QT_LIBRARIES := libglib2.0-0 libgl1 libegl1 libxkbcommon0 libfontconfig1 libdbus-1-3 \
    libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0
# A display for tests that drive the real window, a Secret Service for those that keep a secret in a real keyring, and what
# kills a process or fails a call at one place.
TEST_LIBRARIES := xvfb xauth dbus dbus-daemon gnome-keyring strace
# Age as others wrote it; Node only where there is none.
INTEROP := build/interop
INTEROP_LIBRARIES := age minisign gnupg $(if $(shell command -v npm),,nodejs npm)
# Debian splits what makes a virtual environment off from Python.
VENV_LIBRARIES := $(shell $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv)

# The tests start hundreds of processes: they find their modules compiled, as whoever installed the program does.
unexport PYTHONDONTWRITEBYTECODE

CATALOGUES := $(wildcard resources/i18n/*/LC_MESSAGES/mithaq.po)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The system packages come first and all at once, so that there is one line to type and not three.
.NOTPARALLEL:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.dev $(VENV)/.project $(VENV)/.messages ## Prepare everything that the other targets need

.PHONY: run
run: system-qt $(VENV)/.project $(VENV)/.messages ## Open Mithaq (without a display: the practice exchange, in the terminal)
	@$(BIN)/mithaq

.PHONY: test
test: system-test setup ## Run the tests, on a display of their own (MITHAQ_CORPUS names the folder of real files)
	@xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24" $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup --durations=15 --durations-min=0.5 $(ARGS)

.PHONY: check
check: setup ## Check format, lint, types, the arrows between packages and the message catalogues
	@$(BIN)/ruff format --check --output-format concise .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m scripts.catalogues check

.PHONY: bench
bench: system-interop setup ## Measure, print the figures beside the asked ones, write build/bench.json
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: torture
torture: system-test setup ## Run the long and destructive tests
	@$(BIN)/python -m pytest -m torture --timeout=1800 $(ARGS)

.PHONY: interop
interop: system-interop setup ## Exchange files with other people's age, both ways
	@test -d $(INTEROP)/node_modules/age-encryption || npm install --silent --no-save --no-package-lock --prefix $(INTEROP) age-encryption@0.3.1
	@MITHAQ_INTEROP=required MITHAQ_NODE_MODULES=$(CURDIR)/$(INTEROP) $(BIN)/python -m pytest -m torture tests/crypto/test_interop.py $(ARGS)

.PHONY: screenshots
screenshots: system-test setup ## Picture every screen, light and dark, in English, Arabic and French, into build/screenshots
	@mkdir -p build/screenshots
	@xvfb-run --auto-servernum --server-args="-screen 0 2880x1800x24" $(BIN)/python -m tests.ui.screenshots build/screenshots

.PHONY: fuzz
fuzz: system-test setup ## Fuzz every reader of hostile bytes, two side by side (SECONDS=60 each)
	@$(BIN)/python -c 'from tests.fuzz.targets import TARGETS; print(*TARGETS, sep="\n")' | xargs -P 2 -I TARGET $(BIN)/python -m tests.fuzz TARGET --seconds $(SECONDS)
SECONDS ?= 60

.PHONY: laws
laws: system-test setup ## Run the tests with many more random examples
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest --timeout=1800 $(ARGS)

.PHONY: format
format: setup ## Format the code and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: messages
messages: setup ## Bring the message catalogues up to date with the code
	@$(BIN)/python -m scripts.catalogues update
	@$(BIN)/python -m scripts.catalogues compile

.PHONY: lock
lock: | system-python ## Renew the locked versions and hashes (needs the network)
	@test -x build/lock/bin/uv || { $(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv; }
	@build/lock/bin/uv $(LOCK) requirements/run.in requirements/build.in -o requirements/run.txt
	@build/lock/bin/uv $(LOCK) requirements/dev.in -o requirements/dev.txt
LOCK := pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11

.PHONY: clean
clean: ## Remove everything that was made, the virtual environment too
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find resources -name '*.mo' -delete

# --- what the targets stand on ----------------------------------------------------------------------------------------

.PHONY: system-python system-qt system-test system-interop
system-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
	@test -z "$(VENV_LIBRARIES)" || scripts/system_libraries.sh $(VENV_LIBRARIES)
system-qt:
	@scripts/system_libraries.sh $(VENV_LIBRARIES) $(QT_LIBRARIES)
system-test:
	@scripts/system_libraries.sh $(VENV_LIBRARIES) $(QT_LIBRARIES) $(TEST_LIBRARIES)
system-interop:
	@scripts/system_libraries.sh $(VENV_LIBRARIES) $(QT_LIBRARIES) $(TEST_LIBRARIES) $(INTEROP_LIBRARIES)

$(BIN)/pip: | system-python
	@echo "Making the virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt | $(BIN)/pip
	@echo "Installing the locked libraries of $<"
	@$(PIP) --require-hashes -r $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Installing the locked libraries of $<"
	@$(PIP) --require-hashes -r $<
	@touch $@

$(VENV)/.project: pyproject.toml requirements/run.in $(VENV)/.run
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.messages: $(CATALOGUES) scripts/catalogues.py $(VENV)/.run
	@$(BIN)/python -m scripts.catalogues compile
	@touch $@
