# Two commands do everything: `make book` and `make test`. Both set up .venv first, once.

.DEFAULT_GOAL := help
.PHONY: help setup book site run serve pdf bench test lint unit notebooks nightly links lock lowest newest clean

# The first Python on this machine that is new enough; `make PYTHON=... book` chooses another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
PROFILE ?= auto
TORCH := 2.13.0
TORCHVISION := 0.28.0
PORT ?= 8000
BIN := .venv/bin
READY := .venv/.ready
COMPILE = $(BIN)/uv pip compile pyproject.toml course_tools/pyproject.toml --quiet --extra test --extra cluster \
	--no-annotate --no-header

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv, install everything, fetch MobileNetV2; does nothing when nothing changed

$(READY): pyproject.toml course_tools/pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer was found: install one, then run make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "make: $(PYTHON) is not Python 3.11 or newer: install one, then run make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "make: $(PYTHON) has no venv module: install it (Debian, Ubuntu: apt install python3-venv), then run make again" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . --editable ./course_tools
	@touch $(READY)
	@$(BIN)/python -m course_lib.data fetch mobilenet-v2 >/dev/null 2>&1 || \
		echo "make: MobileNetV2's weights could not be fetched now, and all else is ready;" \
		"when you are connected, run $(BIN)/python -m course_lib.data fetch mobilenet-v2" >&2

book: setup ## run every chapter (PROFILE=quick|cpu|full|auto) and build the website from it
	$(BIN)/course run --profile $(PROFILE)
	$(BIN)/course book --profile $(PROFILE)

site: setup ## build the website from the committed outputs; runs no chapter
	$(BIN)/course book --published

run: setup ## run every chapter and build nothing
	$(BIN)/course run --profile $(PROFILE)

serve: ## show the built website at localhost:8000 (PORT=...); an edit of a page shows at once
	@test -f _build/html/index.html || { echo "make: there is no website yet: run make book or make site" >&2; exit 1; }
	$(BIN)/course serve --port $(PORT)

pdf: ## print the built website into _build/convnets-measured.pdf; needs Chrome or Chromium
	@test -f _build/html/index.html || { echo "make: there is no website yet: run make book or make site" >&2; exit 1; }
	$(BIN)/course pdf

bench: setup ## time the library beside the beginner's loop and the machine's peak throughput (half an hour on two cores)
	$(BIN)/python -m studies.benchmark

# Tests run side by side, one a core; so each may use one thread.
test: lint unit notebooks ## check style, structure, code, every chapter, and the website

lint: setup ## style, import contracts, notebooks in step with their sources
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	PYTHONPATH=assignments/cifar10 $(BIN)/lint-imports --no-logo
	$(BIN)/course pair --check

unit: setup ## the tests of the library, the pipeline and the website
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet --numprocesses auto --dist loadfile -m "not nightly" tests

notebooks: setup ## run every chapter as Colab does, on the sample: does the library still compute what is published?
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet --numprocesses auto --dist loadscope \
		-p course_tools.publishing.quick_check --nbval-lax --nbval-kernel-name course-colab notebooks

nightly: setup ## all tests, those included that are too long for every commit
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet --numprocesses auto --dist loadfile tests

links: site ## follow every link out of the published pages; this needs a network
	$(BIN)/jupyter-book build _build/stage --path-output _build/links --builder linkcheck

# Versions that still fit stay (uv reads them from its output file). torch's own CUDA packages are left out: pip takes
# them with a CUDA wheel and leaves them with a CPU wheel.
lock: setup ## bring requirements.lock in step with pyproject.toml (UPGRADE=1: new versions of everything)
	@cp requirements.lock requirements.lock.new
	@printf 'torch==$(TORCH)\ntorchvision==$(TORCHVISION)\n' | $(COMPILE) \
		--universal --python-version 3.11 --constraint - \
		--output-file requirements.lock.new $(if $(UPGRADE),--upgrade) >/dev/null
	@{ echo "# Exact versions for Python 3.11 to 3.13, made by make lock. No hashes: CPU and CUDA wheels of torch both fit."; \
		grep -vE '^(nvidia|cuda|triton)' requirements.lock.new; } > requirements.lock
	@rm requirements.lock.new

# The nightly workflow tests them. Its Python decides which versions there are; torch comes whole, as pip brings it.
lowest: setup ## install the lowest versions that pyproject.toml admits, in place of the locked ones
	$(COMPILE) --resolution lowest-direct --upgrade --output-file .venv/admitted.txt >/dev/null
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement .venv/admitted.txt

newest: setup ## install the newest versions that pyproject.toml admits, in place of the locked ones
	$(COMPILE) --upgrade --output-file .venv/admitted.txt >/dev/null
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement .venv/admitted.txt

clean: ## delete what was built (_build); .venv and the data cache stay
	rm -rf _build
