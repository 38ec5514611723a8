# Two commands matter: `make run` and `make test`. Everything they need goes into .venv and the data folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
TRAINING := .venv-training

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test lint unit integration test-faults training training-setup training-test fonts browser faketime samples lock clean

help:
	@echo "make run          set up and serve on http://127.0.0.1:$${OCRFLEET_PORT:-8080}  (Ctrl-C stops it)"
	@echo "make test         set up and run every check and test"
	@echo "make test-faults  kill, starve and cut off the parts of a running fleet, and see that nothing is lost"
	@echo "make training-test  teach the recogniser for 200 steps and more; make training-setup makes its environment"
	@echo "make lint         style and types only        make samples  draw the sample documents again"
	@echo "make lock         solve the versions again    make clean    remove the environment and what tools left"

setup:
	@$(PYTHON) cli/install.py runtime --venv $(VENV)

setup-dev:
	@$(PYTHON) cli/install.py dev --venv $(VENV)

# The shell is replaced by the program, so that Ctrl-C and signals reach it once.
run: setup
	@exec $(BIN)/python -m cli.main up

test: setup-dev browser lint unit training integration

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: setup-dev
	$(PYTEST) -n 2 --dist worksteal tests/unit tests/contract

integration: setup-dev
	$(PYTEST) tests/integration tests/browser

test-faults: setup-dev faketime
	$(PYTEST) tests/faults

# Training needs torch, 200 MB and more in an environment of its own: so in CI, or where that environment was made.
training:
	@if [ -n "$$CI" ] || [ -d $(TRAINING) ]; then $(MAKE) --no-print-directory training-test; \
	else echo "test: the tests of training are left out (make training-setup makes their environment)"; fi

training-setup: fonts
	@$(PYTHON) cli/install.py train-test --venv $(TRAINING) --no-models

training-test: fonts
	@$(PYTHON) cli/install.py train-test --venv $(TRAINING) --no-models; code=$$?; \
	if [ $$code = 3 ] && [ -z "$$CI" ]; then exit 0; fi; [ $$code = 0 ] && \
	  $(TRAINING)/bin/python -m pytest -rs tests/unit/test_training.py tests/unit/test_training_model.py tests/unit/test_finetune.py tests/unit/test_training_robust.py tests/unit/test_training_blanks.py

# Chinese and Latin faces to draw lines with, some of them kept from training.
fonts:
	@[ -e /usr/share/fonts/truetype/wqy/wqy-microhei.ttc ] && [ -d /usr/share/fonts/opentype/urw-base35 ] || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "test: installing fonts with apt-get"; \
	    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
	        fonts-noto-cjk fonts-wqy-microhei fonts-urw-base35; } >/dev/null || echo "test: no fonts could be installed"; \
	  else echo "test: few fonts here: some tests of training will be skipped"; fi; }

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
	rm -rf $(VENV) $(TRAINING) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
