# Every target does its own set-up: `make demo` and `make test` work on a fresh machine.
# Variables: PYTHON (interpreter to start from), TORCH_INDEX_URL (a package index that has other
# builds of torch), WORKERS (processes that share the tests; 0 runs them in one), PYTEST_ARGS (for
# example PYTEST_ARGS="tests/physics -x"), ACTIONS and SEEDS (of the monkey: so many random actions in
# each of so many windows).

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz monkey lint bench docs clean

PYTHON ?= python3
WORKERS ?= auto
ACTIONS ?= 2000
SEEDS ?= 5
BIN := .venv/bin
export PYTHON TORCH_INDEX_URL
export QT_API := pyqt6
# Numbers are tested, not the wording of one locale.
export LC_ALL := C.UTF-8
# The set-up compiles no module; every process that the targets start would compile torch and napari
# anew (5 CPU-seconds each) where this is set.
unexport PYTHONDONTWRITEBYTECODE

# A window needs a display. Where there is none, Xvfb makes one with software OpenGL.
ifeq ($(DISPLAY)$(WAYLAND_DISPLAY),)
IN_DISPLAY := xvfb-run -a -s "-screen 0 1920x1200x24"
export LIBGL_ALWAYS_SOFTWARE := 1
export QT_QPA_PLATFORM := xcb
HEADLESS := --headless
endif

help:
	@echo "make demo    set up, then fit a real micrograph in napari (without a display: writes demo-output/)"
	@echo "make test    set up, then run every test"
	@echo "make fuzz    set up, then read 20,000 random files"
	@echo "make monkey  set up, then do 10,000 random things in five windows"
	@echo "make lint    ruff, mypy, import contracts, manifest"
	@echo "make bench   speed of render, fit and live loop on this machine"
	@echo "make docs    build the documentation into site/"
	@echo "make setup   the virtual environment and system libraries alone"
	@echo "make clean   remove what the other targets made, except the virtual environment"

setup:
	@scripts/setup.sh

demo: setup
	$(IN_DISPLAY) $(BIN)/python -m napari_osog.demo --out demo-output $(HEADLESS)

test: setup
	$(IN_DISPLAY) $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder --max-worker-restart 0 \
		$(PYTEST_ARGS)

fuzz: setup
	OSOG_FUZZ=20000 $(BIN)/python -m pytest tests/io/test_fuzz.py --timeout 0 $(PYTEST_ARGS)

monkey: setup
	OSOG_MONKEY_ACTIONS=$(ACTIONS) OSOG_MONKEY_SEEDS=$(SEEDS) $(IN_DISPLAY) $(BIN)/python -m pytest \
		tests/napari/test_monkey.py --timeout 0 $(PYTEST_ARGS)

# Every check runs, and the target fails if any of them did.
lint: setup
	@status=0; \
	check() { echo "== $$*"; "$$@" || status=1; }; \
	check $(BIN)/ruff check . ; \
	check $(BIN)/ruff format --check . ; \
	check $(BIN)/lint-imports ; \
	check $(BIN)/npe2 validate napari.yaml ; \
	check $(BIN)/mypy ; \
	exit $$status

bench: setup
	$(BIN)/osog bench

docs: setup
	@$(BIN)/python -c "import mkdocs, mkdocstrings, material, latex2mathml" 2>/dev/null || \
		$(BIN)/python -m pip install -q -c constraints.txt --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf build dist site demo-output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
