# Every command a person needs. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
PY := $(VENV)/bin/python
# Everything Freezeline writes on this machine; safe to delete.
export FREEZELINE_HOME ?= $(CURDIR)/.freezeline
PYTEST_ARGS ?=
# Test processes; each needs up to 2 GB.
TEST_PROCESSES ?= logical
PARALLEL = -n $(TEST_PROCESSES) --maxprocesses 4 --dist loadgroup --no-loadscope-reorder
# For example DEMO_ARGS="--scale 0.1", BENCH_ARGS=--quick.
DEMO_ARGS ?=
BENCH_ARGS ?=
# For example FUZZ_ARGS="redact_text --runs 100000".
FUZZ_ARGS ?=
# The statistics are many small matrix products: BLAS threads cost more than they give.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test test-long test-shared test-spark airflow bench bench-drift bench-gate bench-land bench-growth bench-night bench-quiet bench-scale bench-slo fuzz gate-file lint format docs dbt-docs lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.installed: requirements.txt
	@$(PYTHON) --version 2>/dev/null | grep -q 'Python 3\.11' || { echo "Python 3.11 is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1) (set PYTHON=/path/to/python3.11)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo "installing pinned dependencies (about 2.5 GB, 2 to 4 minutes)"
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed tests/requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

$(VENV)/.installed-shared: $(VENV)/.installed-dev include/requirements/shared.txt include/requirements/postgresql.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -c requirements.txt -r include/requirements/shared.txt -r include/requirements/postgresql.txt
	@touch $@

$(VENV)/.installed-spark: $(VENV)/.installed-dev include/requirements/spark.txt tests/requirements-spark.txt
	@echo "installing Spark (about 480 MB)"
	$(PY) -m pip install --quiet --disable-pip-version-check -c requirements.txt -r include/requirements/spark.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/spark -r tests/requirements-spark.txt
	@touch $@

# Beside the other packages: flagd's provider wants a newer protobuf than they allow.
$(VENV)/.installed-flagd: $(VENV)/.installed-dev tests/requirements-flagd.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/flagd -r tests/requirements-flagd.txt
	@touch $@

install: $(VENV)/.installed ## make .venv with the pinned dependencies

install-dev: $(VENV)/.installed-dev $(VENV)/.installed-flagd ## the same with the tools for tests and lint

demo: install ## from real traces to a frozen release: make a bucket, run the nightly DAG, show the report
	@$(PY) -m include.freezeline demo $(DEMO_ARGS)

test: install-dev lint ## lint, then the test suite on the default target
	$(PY) -m pytest -m "not engines and not long" $(PARALLEL) $(PYTEST_ARGS)

test-long: install-dev ## what takes minutes each: thirty nights, a quiet demo, a small one twice and on S3, every bench, the scheduler
	$(PY) -m pytest -m long $(PARALLEL) $(PYTEST_ARGS)

test-shared: $(VENV)/.installed-shared ## the same marts in a DuckLake that machines share; facts in PostgreSQL (needs PostgreSQL, Ceph)
	$(PY) -m pytest tests/engines/test_shared.py tests/engines/test_postgres_facts.py $(PYTEST_ARGS)

test-spark: $(VENV)/.installed-spark ## the same marts on a Spark cluster of two workers (needs Java)
	$(PY) -m pytest -m engines tests/engines/test_spark.py tests/integration/test_lake_formats.py $(PYTEST_ARGS)

airflow: install ## the Airflow UI with the DAGs and the Freezeline page (prints the login)
	@$(PY) -m include.freezeline.adapters.airflow.serve

# Each of these takes most of an hour; of the others bench_false_alarms takes fifteen minutes, the rest some.
LONG_BENCHES := tests/bench/bench_drift.py tests/bench/bench_night.py tests/bench/bench_quiet_series.py tests/bench/bench_scale.py

bench: install-dev ## print speed and power ratios, each against a baseline in the same run
	@for bench in $(filter-out $(LONG_BENCHES),$(sort $(wildcard tests/bench/bench_*.py))); do echo "== $$bench"; $(PY) -m "$$(echo $${bench%.py} | tr / .)" $(BENCH_ARGS) || exit 1; done

fuzz: install-dev ## throw a million mutated inputs at parsers and redaction (about 15 minutes)
	$(PY) -m tests.fuzz $(FUZZ_ARGS)

bench-gate: install-dev ## how long the gate takes to start, and which imports take longest (some seconds)
	@$(PY) -m tests.bench.bench_gate $(BENCH_ARGS)

bench-slo: install-dev ## how often quiet products freeze, and how soon broken ones do (some minutes; BENCH_ARGS=--quick)
	@$(PY) -m tests.bench.bench_slo $(BENCH_ARGS)

bench-land: install-dev ## landing against the bare floor on 1 GB of traffic (about two minutes)
	@$(PY) -m tests.bench.bench_land $(BENCH_ARGS)

bench-growth: install-dev ## the same night after 7 and after 365 stored days of 20,000 calls (long; BENCH_ARGS=--quick)
	@$(PY) -m tests.bench.bench_growth $(BENCH_ARGS)

bench-drift: install-dev ## power, false alarms and seconds of the drift test (BENCH_ARGS="--data FOLDER" for real answers)
	@$(PY) -m tests.bench.bench_drift $(BENCH_ARGS)
	@$(MAKE) --quiet $(VENV)/alibi/.installed || echo "alibi-detect cannot be installed here"
	@$(PY) -m tests.bench.bench_drift_speed

$(VENV)/alibi/.installed: ## alibi-detect for make bench-drift, which needs older libraries than ours
	$(PYTHON) -m venv $(VENV)/alibi
	$(VENV)/alibi/bin/python -m pip install --quiet --disable-pip-version-check alibi-detect==0.13.0 torch==2.13.0
	@touch $@

bench-quiet: install-dev ## false alarms of 90 quiet nights of daily and hourly series in 50 segments (about an hour; BENCH_ARGS=--quick)
	@$(PY) -m tests.bench.bench_quiet_series $(BENCH_ARGS)

bench-night: install-dev ## 1,000,000 calls in one night: seconds and memory by stage, pandas beside it (long; BENCH_ARGS=--quick)
	@$(PY) -m tests.bench.bench_night $(BENCH_ARGS)

bench-scale: install-dev ## bytes, build and query seconds by stored spans (long; BENCH_ARGS=--quick)
	@$(PY) -m tests.bench.bench_scale $(BENCH_ARGS)

gate-file: install ## write the release gate as one Python file for other repositories
	@$(PY) -m include.freezeline gate file --output $(FREEZELINE_HOME)/freezeline_gate.py

lint: install-dev ## ruff, mypy, sqlfluff and the import contracts
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/sqlfluff lint --processes 2 --config dbt_project/.sqlfluff dbt_project/models dbt_project/tests
	$(VENV)/bin/lint-imports

format: install-dev ## format Python and SQL
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: install-dev ## write the generated pages of docs/ again
	$(PY) -m include.freezeline.jobs.document

dbt-docs: install ## dbt's own documentation of the published snapshot, with lineage, as one page
	@$(PY) -m include.freezeline dbt-docs

lock: ## resolve requirements.txt and tests/requirements.txt again (needs uv)
	uv pip compile --quiet --upgrade --python 3.11 --no-annotate --no-header pyproject.toml -o requirements.txt
	@# CPU is enough here: the CUDA packages that a GPU build of torch asks for stay out of the lock.
	sed -i -E 's/\+cpu$$//; /^(nvidia-|cuda-|triton==)/d' requirements.txt
	uv pip compile --quiet --upgrade --python 3.11 --no-annotate --no-header --group dev -c requirements.txt -o tests/requirements.txt
	@# Only what the extras add: the rest is in requirements.txt already.
	for target in shared spark postgresql; do uv pip compile --quiet --upgrade --python 3.11 --no-annotate --no-header --extra $$target -c requirements.txt pyproject.toml | grep -vxFf requirements.txt > include/requirements/$$target.txt; done
	uv pip compile --quiet --upgrade --python 3.11 --no-annotate --no-header --group spark -c requirements.txt -o tests/requirements-spark.txt
	uv pip compile --quiet --upgrade --python 3.11 --no-annotate --no-header --group flagd | grep -vxFf requirements.txt -f tests/requirements.txt > tests/requirements-flagd.txt

clean: ## delete everything Freezeline wrote, and the caches
	rm -rf .freezeline .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt_project/target dbt_project/logs
