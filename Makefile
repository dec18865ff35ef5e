# make setup · demo [IMAGE=path] · test · check · bench · bench-quality · bless · docs · sbom · audit
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
IMAGE ?=
DEMO := out/demo
JOBS ?= 2

.PHONY: setup demo test check bench bench-quality bless docs sbom audit clean
.DELETE_ON_ERROR:
unexport PYTHONDONTWRITEBYTECODE  # the environment's libraries are compiled once, not by every process of a test

setup: $(READY)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "handwright needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[dev]' torch==2.13.0
	@touch $@

$(READY): $(INSTALLED)
	@$(BIN)/python -c 'import cv2' 2>/dev/null || \
		{ echo "OpenCV does not load: on a bare server, apt-get install libegl1 libgl1 libgles2 libglib2.0-0" >&2; exit 2; }
	$(BIN)/handwright setup
	@touch $@

demo: setup
	$(BIN)/python scripts/demo.py --output $(DEMO) $(if $(IMAGE),"$(IMAGE)")

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

test:
	@$(MAKE) --no-print-directory --output-sync=target -j2 setup check  # a core each
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

bench: setup
	@for script in find fit draw outside cold; do echo "$$script"; $(BIN)/python bench/$$script.py || exit 1; done

bench-quality: setup
	$(BIN)/python bench/quality.py

bless: setup
	$(BIN)/python -m tests.golden.bless

docs: $(INSTALLED)
	$(BIN)/mkdocs build --quiet
	@echo "open out/site/architecture.html"

sbom: $(INSTALLED)
	$(BIN)/python scripts/what_ships.py --page docs/licences.md --sbom out/sbom.cdx.json

audit: $(INSTALLED)
	$(BIN)/python scripts/what_ships.py --audit-list out/audit.txt
	$(BIN)/python scripts/audit.py out/audit.txt

clean:
	rm -rf $(VENV) out .pytest_cache .ruff_cache .import_linter_cache .hypothesis
