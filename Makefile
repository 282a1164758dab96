# make env    all environments under .env/, every program in .env/bin/
# make demo   simulate four dithered exposures and run the workflow to the mosaic and catalog
# make test   style checks and tests
# make images build the container images of all stages (needs apptainer and mmdebstrap)
# make peer   compare with the official package (installed in an environment of its own)
# make schemas  renew config.yaml, its schema, and the pages of options and association rules
# make lock   renew the lock files from envs/*.in

SHELL := /bin/bash
PYTHON ?= python3
CORES ?= $(shell nproc)
PYTEST_OPTIONS ?=

.PHONY: env demo test lint images peer lock schemas clean

env: .env/ready

.env/ready: envs/build.sh $(wildcard envs/*.lock) $(wildcard stages/*/pyproject.toml) simulator/pyproject.toml
	PYTHON=$(PYTHON) envs/build.sh

.env/peer/ready: .env/ready envs/peer.lock
	PYTHON=$(PYTHON) envs/build.sh peer
	touch $@

demo: env
	demo/run.sh $(CORES)

lint: env
	tests/lint.sh

test: lint
	.env/bin/pytest -q -m "not peer" $(PYTEST_OPTIONS)

images: env
	containers/build.sh all

peer: .env/peer/ready
	CALWEBB_PEER_PYTHON=$(CURDIR)/.env/peer/bin/python .env/bin/pytest -q -m peer $(PYTEST_OPTIONS)

schemas: env
	.env/test/bin/python schemas/generate.py

lock: env
	envs/lock.sh

clean:
	rm -rf .env results/demo
