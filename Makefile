# make env    all environments under .env/, every program in .env/bin/
# make demo   simulate four dithered exposures and run the workflow to the mosaic and catalog
# make demo-tso  simulate a transit in three segments and run the workflow to the light curve
# make test   style checks and tests
# make images build the container images of all stages (needs apptainer and mmdebstrap)
# make demo-containers  the demonstration once more in container images; must give the same bytes
# make sites  tests in container images and with a Slurm of one node, where these are installed
# make peer   compare with the official package (installed in an environment of its own)
# make schemas  renew config.yaml, its schema, and the pages of options and association rules
# make lock   renew the lock files from envs/*.in

SHELL := /bin/bash
# Without compiled sources every start of a program would compile them anew.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
CORES ?= $(shell nproc)
# Tests run side by side; those of one file in one process.
WORKERS ?= 2
PYTEST_OPTIONS ?=
PYTEST = .env/bin/pytest -q -n $(WORKERS) --dist loadfile

.PHONY: env demo demo-tso demo-containers test lint images sites peer lock schemas clean

env: .env/ready

.env/ready: envs/build.sh $(wildcard envs/*.lock) $(wildcard stages/*/pyproject.toml) simulator/pyproject.toml
	PYTHON=$(PYTHON) envs/build.sh

.env/peer/ready: .env/ready envs/peer.lock
	PYTHON=$(PYTHON) envs/build.sh peer
	touch $@

demo: env
	demo/run.sh $(CORES)

demo-tso: env
	demo/run_tso.sh $(CORES)

lint: env
	tests/lint.sh

# Style is checked beside the tests, and told about after them.
test: env
	@said=$$(mktemp); tests/lint.sh > "$$said" 2>&1 & lint=$$!; \
	$(PYTEST) -m "not peer and not container and not slurm" $(PYTEST_OPTIONS); tests=$$?; \
	wait $$lint; style=$$?; cat "$$said"; rm -f "$$said"; exit $$((tests || style))

images: env
	containers/build.sh all

demo-containers: demo
	demo/in_containers.sh $(CORES)

sites: env
	.env/bin/pytest -q -m "container or slurm" $(PYTEST_OPTIONS)

peer: .env/peer/ready
	CALWEBB_PEER_PYTHON=$(CURDIR)/.env/peer/bin/python $(PYTEST) -m peer $(PYTEST_OPTIONS)

schemas: env
	.env/test/bin/python schemas/generate.py

lock: env
	envs/lock.sh

clean:
	rm -rf .env results/demo results/demo-tso
