# make demo | test | check | web | chaos | setup | bench | fuzz | lock | clean      (needs git, make, Python 3.11+ with pip)
SHELL := /bin/sh
PY ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
STAMP := .venv/.stamp
export UV_PYTHON_DOWNLOADS := never
# compiled modules and rewritten tests are kept: without them every run and process makes them anew
unexport PYTHONDONTWRITEBYTECODE
WORKERS ?= 2

.DELETE_ON_ERROR:
.PHONY: bench fuzz setup demo test check chaos format lint types imports web web-check tests fast-tests lock clean

UV := .boot/bin/uv

$(UV): requirements-uv.txt
	@test -n "$(PY)" || { echo "Python 3.11 or newer with pip is needed (set PY=/path/to/python)"; exit 1; }
	@rm -rf .boot && $(PY) -m pip install -q --disable-pip-version-check --root-user-action=ignore \
		--target .boot --require-hashes -r requirements-uv.txt
	@touch $@

$(STAMP): requirements.lock pyproject.toml $(UV)
	@echo "setup: installing the locked packages into .venv ..."
	@test -x $(BIN)/python || $(UV) venv -q --python "$$($(PY) -c 'import sys; print(sys.executable)')" .venv
	@VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip sync -q --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip install -q --no-deps --no-build-isolation -e .
	@touch $@

setup: $(STAMP)
	@$(BIN)/python -m csms.web.build || echo "everything but the cockpit in the browser is ready"

# the browser UI, by the Node of the Python wheel; at once when nothing has changed
web: $(STAMP)
	@$(BIN)/python -m csms.web.build

# its types, style and unit tests; at once when nothing has changed since they were well
web-check: $(STAMP)
	@$(BIN)/python -m csms.web.build check

demo: $(STAMP)
	@$(BIN)/python -m csms.web.build || echo "the demo goes on without the cockpit"
	@exec $(BIN)/python -m csms demo

format: $(STAMP)
	@$(BIN)/ruff format --quiet --check . || { echo "run: make fix"; exit 1; }

fix: $(STAMP)
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: $(STAMP)
	@$(BIN)/ruff check --quiet .

types: $(STAMP)
	@$(BIN)/mypy --no-error-summary

imports: $(STAMP)
	@$(BIN)/lint-imports > .venv/imports.log || { cat .venv/imports.log; exit 1; }

fast-tests: $(STAMP)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow" --hypothesis-profile=quick

tests: web
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: format lint types imports fast-tests

test: format lint types imports web-check tests

# longer and larger than the test: make chaos CHAOS='--minutes 5 --kills 4 --seed 1'
chaos: $(STAMP)
	@$(BIN)/python -m tests.chaos.long $(CHAOS)

# coverage-guided, bounded: make fuzz FUZZ='--seconds 300 --seed 7'
fuzz: $(STAMP)
	@exec $(BIN)/python -m tests.fuzz.run $(FUZZ)

bench: $(STAMP)
	@exec $(BIN)/python -m bench $(BENCH)

lock: $(UV)
	$(UV) pip compile requirements-uv.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-uv.txt -q
	$(UV) pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.lock -q

clean:
	rm -rf .venv .boot .csms dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .fuzz artifacts \
		csms/web/node_modules csms/web/dist csms/web/src/api/openapi.json csms/web/src/api/schema.d.ts
