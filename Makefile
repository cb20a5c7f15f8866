# What a developer and CI call. `make demo` and `make test` are all that a new Debian or Ubuntu machine needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
VENV310 := .venv-py310
VENVBENCH := .venv-bench
BIN := $(VENV)/bin
# Screens wait for themselves to come to rest: one test more than there are cores.
FAST := -m "not real and not thorough and not lab" -n $(shell expr $$(nproc) + 1) -q
THOROUGH := -m thorough -n $(shell nproc) -q
# Daemons are mostly waited for, so more tests than cores may run.
REAL := -m real -n 4 --dist loadgroup -q --durations 10
# Where sbin is not in the path of everybody; the tests' own cluster is made of these.
SLURM := 'test -x /usr/sbin/slurmctld:slurm-wlm' 'test -x /usr/sbin/slurmdbd:slurmdbd' \
	'test -x /usr/sbin/munged:munge' 'test -x /usr/sbin/mariadbd:mariadb-server'

# For tests that reach machines over SSH, and for those with machines that boot.
SSH := 'test -x /usr/sbin/sshd:openssh-server' sudo:sudo ssh-keygen:openssh-client
LAB := mmdebstrap:mmdebstrap docker-registry:docker-registry dnsmasq:dnsmasq-base apt-ftparchive:apt-utils \
	'busybox httpd --help:busybox-static'

# The same versions for everybody; the second name is what newer pips read for build environments.
export PIP_CONSTRAINT := $(CURDIR)/ci/constraints.txt
export PIP_BUILD_CONSTRAINT := $(PIP_CONSTRAINT)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-fast test-thorough test-real lab-test test-py310 check format bench daemons slurm sshd tools \
	exporter picture constraints clean

help:  ## This list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.runs  ## Create .venv, install gpumon and open the dashboard on a simulated cluster
	@$(BIN)/gpumon-tui --demo

test: daemons slurm sshd test-fast test-thorough test-real lab-test  ## Everything: what it needs, the fast tests, then those with real daemons

test-fast: $(VENV)/.develops  ## Under a minute: no root, no daemons, no network beyond loopback
	$(BIN)/pytest $(FAST)

test-thorough: $(VENV)/.develops  ## More sizes, seeds and names of what the fast tests prove
	$(BIN)/pytest $(THOROUGH)

test-real: $(VENV)/.develops daemons slurm sshd  ## Real Prometheus, node_exporter, VictoriaMetrics, Slurm and a pseudo-terminal
	$(BIN)/pytest $(REAL)

lab-test: $(VENV)/.develops  ## Deployments on a cluster of machines that boot, each in namespaces of its own; needs root
	@ci/packages $(LAB)
	$(BIN)/pytest tests/lab -m lab -n 2 --dist loadfile -q --durations 25

test-py310: $(VENV310)/.tests  ## The fast tests on Python 3.10, the oldest that is promised
	$(VENV310)/bin/pytest $(FAST)

check: $(VENV)/.develops  ## ruff, mypy, pyright, import-linter, and that the exporter needs no more than Python 3.9
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/vermin --quiet --no-tips --violations -t=3.9- exporter/

format: $(VENV)/.develops  ## Let ruff lay the code out
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

bench: $(VENV)/.develops $(VENVBENCH)/.runs daemons slurm  ## Benchmarks against their floors; results go to bench/results/
	PYTHONPATH=tests $(BIN)/python bench/refresh.py
	PYTHONPATH=tests $(BIN)/python bench/oneshot.py
	PYTHONPATH=tests $(BIN)/python bench/dashboard.py
	PYTHONPATH=tests $(BIN)/python bench/slurm.py
	@ci/packages $(LAB)
	PYTHONPATH=tests $(BIN)/python bench/setup.py

sshd:  ## Install what the tests over SSH start by themselves
	@ci/packages $(SSH)

tools: $(VENV)/.develops  ## .venv with everything a developer uses

daemons: $(VENV)/.runs  ## Unpack Prometheus, node_exporter and VictoriaMetrics into .cache/, outside the system
	@$(BIN)/python tests/real/unpack_daemons.py

slurm: $(VENV)/.runs  ## Install the distribution's Slurm, munge and MariaDB, starting none, and unpack the newest Slurm
	@ci/packages $(SLURM)
	@PYTHONPATH=tests $(BIN)/python -m slurm_site.newest

exporter: $(VENV)/.runs  ## dist/gpumon-slurm-exporter.pyz, one file for any python3 from 3.9 on
	$(BIN)/python ci/exporter_zipapp.py dist/gpumon-slurm-exporter.pyz

picture: $(VENV)/.develops  ## Draw the README's pictures, docs/keys.md and the pictures of the tests from the real dashboard
	$(BIN)/python ci/picture.py
	$(BIN)/python ci/keys_page.py
	PYTHONPATH=tests $(BIN)/python tests/tui_pictures.py

constraints: $(VENV)/.develops  ## Choose the newest allowed versions again and write them to ci/constraints.txt
	$(BIN)/python ci/choose_versions.py > ci/constraints.txt.new
	mv ci/constraints.txt.new ci/constraints.txt

clean:  ## Remove everything that make made
	rm -rf .venv .venv-py310 .venv-bench .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.runs: pyproject.toml ci/constraints.txt
	@ci/venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.develops: $(VENV)/.runs
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

# What is measured has nothing beside it that a user would not have: httpx imports its own command line where click is.
$(VENVBENCH)/.runs: pyproject.toml ci/constraints.txt
	@ci/venv $(VENVBENCH)
	$(VENVBENCH)/bin/python -m pip install --quiet --editable .
	@touch $@

$(VENV310)/.tests: pyproject.toml ci/constraints.txt
	@ci/venv $(VENV310) 3.10
	$(VENV310)/bin/python -m pip install --quiet --editable . --group test
	@touch $@
