# The words a newcomer types. Needs nothing but Python 3.11+ with venv, make and git.
PYTHON ?= python3
PLACE ?= 128892
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo crawl test test-long lint clean

demo: $(READY)  ## the main job, end to end, against a small iNaturalist on this machine
	@$(BIN)/python -m standin.demo

crawl: $(READY)  ## the same against iNaturalist: make crawl PLACE=128892
	$(BIN)/scrapy crawl observations -a place_id=$(PLACE)

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not long" $(PYTEST_ARGS)

test-long: $(READY)  ## full sizes, many kills and histories
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): requirements.txt requirements-dev.txt
	@echo "Installing into $(VENV) (once; about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) output/demo output/demo-budget.sqlite* build dist *.egg-info
