# Two commands do everything: make run, make test. Neither needs anything but Python 3.11+ with its venv module.
# The system's own packages are installed only with SYSTEM=1, by root in CI, or after a yes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
CLIP_OUT := out/street_seg.mp4
# what pip left uncompiled is compiled once, not by every process
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup setup-dev run test test-gpu lint docs qt collected bench bench-gpu app deb appimage test-app bench-app \
	wheel clean

setup: $(VENV)/.base
setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; '$(PYTHON)' is older. Try: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }

$(VENV)/.base: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing the viewer into $(VENV) …"
	@$(PIP) -c constraints.txt -e .
	@touch $@

# The viewer, too, in one call. pip would compile every file of TensorFlow, JAX, SciPy and pandas, for half its time: what
# is imported is compiled by who imports it first, which is `collected` for most
$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing viewer, trainer and development tools into $(VENV) …"
	@$(PIP) --no-compile -c constraints.txt -e '.[dev,trainer,tfds,onnxruntime]'
	@touch $(VENV)/.base $@

# Qt's system libraries: named; installed where that is wanted
run: setup
	@$(BIN)/python -m seg_viewer.gui.system --install
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" != Linux ]; then \
	  $(BIN)/seg-viewer view demo; \
	else \
	  echo "No display: writing the annotated demo clip instead."; mkdir -p $(dir $(CLIP_OUT)); \
	  $(BIN)/seg-viewer export demo -o $(CLIP_OUT) --overwrite && echo "Annotated video: $(abspath $(CLIP_OUT))"; \
	fi

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The documentation as a site: build/docs/index.html; fails on any warning
docs: setup-dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet -f docs/site/mkdocs.yml

qt: setup-dev
	@$(BIN)/python -m seg_viewer.gui.system --install

# All tests, and what they import, are compiled once, beside mypy, which has one core alone: else each worker compiles all
collected: qt
	@$(BIN)/python -c 'from trainer.network import backend; backend.be_alone(); backend.start_backend(); import tf2onnx'
	@said=$$($(BIN)/python -m pytest --collect-only -qq 2>&1) || { echo "$$said"; exit 1; }

# Two workers more than cores: many tests wait, for servers, windows, other programs
TEST_WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, 2 + (os.cpu_count() or 1)))')

test: setup-dev
	@$(MAKE) --no-print-directory --jobs 2 lint collected docs
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

# On a machine with an NVIDIA GPU, after pip install -e '.[tensorrt-rtx]' or '.[tensorrt]': tests, benchmark, and a report to paste
test-gpu: setup-dev
	$(BIN)/python -m benchmarks.gpu_report

bench-gpu: setup-dev
	$(BIN)/python -m benchmarks.gpu

bench: setup-dev
	$(BIN)/python -m benchmarks.usual_loop
	$(BIN)/python -m benchmarks.bare_inference

# One folder with the program, its models and its clip; without TensorFlow. INTEL_GPU=1: with what Intel GPUs and NPUs need
app: $(VENV)/.base
	@$(PIP) -c constraints.txt -e '.[app]'
	$(BIN)/pyinstaller --noconfirm --clean build.spec -- $(if $(INTEL_GPU),--intel-gpu)

# Of what `make app` built: the tests that run it, its start beside the unfrozen one, packages for Linux
test-app: setup-dev
	$(BIN)/python -m pytest tests/packaging

bench-app: setup
	$(BIN)/python -m benchmarks.frozen_start

deb appimage: setup
	$(BIN)/python -m assets.packaging.linux $(if $(filter deb,$@),deb,appdir)

# Wheel and source archive, for `pipx install` and the like
wheel: setup
	@$(PIP) build
	$(BIN)/python -m build

clean:
	rm -rf build dist out
