# `make demo` and `make test` do all the set-up they need. Another Python: make demo PYTHON=python3.12
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c '$(SUITABLE)' 2> /dev/null && echo $$name && exit; done; echo python3)
BIN := .venv/bin
# A new environment has no bytecode yet: without it each process compiles TensorFlow anew,
# 16 s of a processor instead of 5, and some machines forbid to keep it.
export PYTHONDONTWRITEBYTECODE :=
SOURCES := pipeline components trainer_module transform_module serving
# No test runs the benchmarks whole: the type checker sees what a change of ours breaks in them.
TYPED := $(SOURCES) $(wildcard tests/benchmarks/*.py)

.PHONY: demo test test-fast lint format check setup lock image bench bench-quick clean

demo: setup          ## Run the pipeline on synthetic X-rays, to a pushed model.
	@$(BIN)/cxr run --config pipeline/configs/demo.yaml --root .demo

test: setup lint     ## Lint, check types, run every test.
	@$(BIN)/pytest --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-fast: setup     ## Only the tests that start no process, train nothing and take an instant.
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile -m "not slow and not e2e"

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(TYPED)
	@$(BIN)/hadolint pipeline/image/Dockerfile

format: setup        ## Rewrite the code in its style.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

setup:               ## Make .venv; under a second once it is there.
	@$(PYTHON) -m pipeline.environment

check:               ## Report what is missing on this machine, and install nothing.
	@$(PYTHON) -m pipeline.environment check

lock: setup          ## Renew requirements.lock from setup.py.
	@$(BIN)/uv pip compile --quiet --python $(BIN)/python --no-build-isolation \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" \
		--extra dev --extra cluster --output-file requirements.lock setup.py

image:               ## Build the image of the components, where Docker is.
	@docker build --file pipeline/image/Dockerfile --tag cxr .

bench: setup         ## What it costs beside a plain script, on ../shared/chest_xray or IMAGES=...
	@$(BIN)/python -m tests.benchmarks --keep $(if $(IMAGES),--images $(IMAGES))

bench-quick: setup   ## The same in minutes: one round of what is short, kept nowhere.
	@$(BIN)/python -m tests.benchmarks --quick $(if $(IMAGES),--images $(IMAGES))

clean:               ## Remove what make made.
	@rm -rf .venv .demo .bench build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find $(SOURCES) tests -name __pycache__ -type d -prune -exec rm -rf {} +
