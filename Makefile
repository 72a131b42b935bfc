# What CI runs, and what a person types. Needs python3 (3.11 or newer) and make.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

# Dozens of processes read the same modules: each would compile them anew where the environment forbids to keep that.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo start test fuzz lint types check bench bench-aws bench-events bench-faults bench-fixes bench-killed \
        bench-start bench-truth lock record-release screenshot clean

PIP = $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --root-user-action=ignore

.venv/installed: requirements.lock pyproject.toml
	@echo "Setting up .venv, once: downloading and installing the packages takes one to three minutes …"
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes --no-deps -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@echo "Compiling …"
	@$(BIN)/python -m compileall -q platform providers policies remediations
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	@echo "Installing what the tests need, once: about a minute …"
	@$(PIP) --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

demo: .venv/installed  ## the whole platform on this machine, with simulated AWS accounts
	@$(BIN)/python manage.py demo $(ARGS)

start: .venv/installed  ## the whole platform on this machine, for accounts of your own
	@$(BIN)/python manage.py start $(ARGS)

# Three workers keep two cores busy, because tests also wait.
# Byte code is kept, also where it is not otherwise: tests start many processes, and each would compile the platform.
PYTEST = NEPHOSCOPE_DATA_DIR=$(CURDIR)/var/test PYTHONDONTWRITEBYTECODE= \
         $(BIN)/python -m pytest -n 3 --no-loadscope-reorder

test: .venv/installed-dev  ## all tests, in about eight minutes on two cores
	$(PYTEST) $(ARGS)

fuzz: .venv/installed-dev  ## the tests that make up their input, with a hundred times as much of it
	NEPHOSCOPE_FUZZ=20000 $(PYTEST) tests/api/test_fuzz.py tests/api/test_described.py $(ARGS)

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev
	DATABASE_URL=postgresql:///types $(BIN)/mypy  # reads the models only; no database is needed

check: lint types test

bench: .venv/installed-dev  ## time and memory of a scan
	$(BIN)/python benchmarks/scan.py $(ARGS)
	$(BIN)/python benchmarks/huge_policies.py

bench-aws: .venv/installed-dev  ## beside Prowler and ScoutSuite, at 300 and 3,000 resources
	PYTHONPATH=benchmarks $(BIN)/python -m aws $(ARGS)

bench-events: .venv/installed-dev  ## seconds from an event in the cloud to the alert
	$(BIN)/python benchmarks/events.py $(ARGS)

bench-fixes: .venv/installed-dev  ## seconds of a plan, and of a bulk change of 500 resources
	$(BIN)/python benchmarks/fixes.py $(ARGS)

bench-faults: .venv/installed-dev  ## what wrong answers of the cloud close, stop or hide
	PYTHONPATH=benchmarks $(BIN)/python benchmarks/faults.py $(ARGS)

bench-truth: .venv/installed-dev  ## precision and recall over accounts of which it is known what is wrong
	NEPHOSCOPE_DATA_DIR=$(CURDIR)/var/test $(BIN)/python benchmarks/truth.py $(ARGS)

bench-start: .venv/installed-dev  ## how long the command line takes to start
	$(BIN)/python benchmarks/start.py

bench-killed: .venv/installed-dev  ## what becomes of the work when processes are killed
	$(BIN)/python benchmarks/killed.py $(ARGS)

# `pip` comes with every virtual environment; `setuptools` does not, from Python 3.12 on, and so is locked.
LOCK := --quiet --generate-hashes --strip-extras --no-header --no-annotate --unsafe-package pip \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

lock: .venv/installed-dev  ## the pins of requirements.txt and requirements-dev.txt with hashes, which all targets install
	grep -v '^-e ' requirements.txt | $(BIN)/pip-compile - --output-file requirements.lock $(LOCK)
	$(BIN)/pip-compile requirements-dev.txt --constraint requirements.lock --output-file requirements-dev.lock $(LOCK)

record-release: .venv/installed-dev  ## at a release: its database and its migrations, for the tests of upgrades
	$(BIN)/python tests/upgrade/record.py $(ARGS)

screenshot: .venv/installed-dev  ## the README's picture, taken from the demo
	$(BIN)/python docs/take_screenshot.py

clean:
	rm -rf .venv var dist test-artefacts bench-tmp
