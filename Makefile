# make env    all environments under .env/, every program in .env/bin/
# make demo   simulate four dithered exposures and run the workflow to the mosaic and catalog
# make test   style checks and tests
# make lock   renew the lock files from envs/*.in

SHELL := /bin/bash
PYTHON ?= python3
CORES ?= $(shell nproc)

.PHONY: env demo test lint lock clean

env: .env/ready

.env/ready: envs/build.sh $(wildcard envs/*.lock) $(wildcard stages/*/pyproject.toml) simulator/pyproject.toml
	PYTHON=$(PYTHON) envs/build.sh

demo: env
	demo/run.sh $(CORES)

lint: env
	tests/lint.sh

test: lint
	.env/bin/pytest -q -m "not peer" $(PYTEST_OPTIONS)

lock:
	envs/lock.sh

clean:
	rm -rf .env results/demo
