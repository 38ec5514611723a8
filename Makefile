# Two commands matter: `make run` and `make test`. Everything they need goes into .venv and the data folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test lint unit integration test-faults browser faketime samples lock clean

help:
	@echo "make run          set up and serve on http://127.0.0.1:$${OCRFLEET_PORT:-8080}  (Ctrl-C stops it)"
	@echo "make test         set up and run every check and test"
	@echo "make test-faults  kill, starve and cut off the parts of a running fleet, and see that nothing is lost"
	@echo "make lint         style and types only        make samples  draw the sample documents again"
	@echo "make lock         solve the versions again    make clean    remove the environment and what tools left"

setup:
	@$(PYTHON) cli/install.py runtime --venv $(VENV)

setup-dev:
	@$(PYTHON) cli/install.py dev --venv $(VENV)

# The shell is replaced by the program, so that Ctrl-C and signals reach it once.
run: setup
	@exec $(BIN)/python -m cli.main up

test: setup-dev browser lint unit integration

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: setup-dev
	$(PYTEST) tests/unit tests/contract

integration: setup-dev
	$(PYTEST) tests/integration tests/browser

test-faults: setup-dev faketime
	$(PYTEST) tests/faults

# A clock that is off, for the workers of one fault test.
faketime:
	@command -v faketime >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "test: installing faketime with apt-get"; \
	    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
	        faketime; } >/dev/null || echo "test: faketime could not be installed"; \
	  else echo "test: no faketime here: the tests with differing clocks will be skipped"; fi; }

# Chromium for the tests in a real browser; without it they are skipped (and fail where CI is set).
browser:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "test: installing chromium with apt-get"; \
	    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
	        chromium chromium-driver fonts-noto-cjk; } >/dev/null || echo "test: chromium could not be installed"; \
	  else echo "test: no chromium and chromedriver here: the browser tests will be skipped"; fi; }

samples: setup-dev
	$(BIN)/python samples/make.py

lock:
	@$(PYTHON) cli/install.py dev --venv $(VENV) --no-models
	@$(BIN)/python -m pip install --quiet uv==0.13.9
	$(BIN)/python requirements/lock.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
