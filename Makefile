# What a contributor does, for GNU make from 3.81 on and any POSIX shell.
#
# .venv belongs to this Makefile: when its set-up was interrupted, when the checkout was moved or when the Python that it was
# made from is gone, it is made anew. `make clean` removes it, for instance to have another PYTHON.

# The tests are rewritten once, and not by each process of each run, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

SHELL = /bin/sh
VENV = .venv
BIN = $(VENV)/bin
.DEFAULT_GOAL = help
.SUFFIXES:
.NOTPARALLEL:
.PHONY: help demo test anew faults fuzz bench bench-peers man check format screenshots snapshots clean

help: ## List what can be made
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1:\2/p' Makefile | awk -F: '{ printf "  %-12s %s\n", $$1, $$2 }'
	@echo "PYTHON=/path/to/python3 chooses the Python of a new $(VENV), PYTEST_ARGS=… adds arguments for pytest."

# Run by make itself and not by a shell: signals reach it, and make waits until its processes are gone.
demo: $(VENV)/runtime ## See procdeck run a demo formation
	@$(BIN)/procdeck demo

test: $(VENV)/dev ## Run the tests
	$(BIN)/python -m pytest -n 4 --dist loadgroup $(PYTEST_ARGS)

anew: $(VENV)/dev ## Run the tests of properties with examples that were never tried before
	ANEW=1 $(BIN)/python -m pytest -n 2 -q -m hypothesis $(PYTEST_ARGS)

faults: $(VENV)/dev ## Prove that nothing is left behind, in every way, and write docs/faults.md
	$(BIN)/python -m tests.faults
	FAULTS=all $(BIN)/python -m pytest -n 2 -rP --ignore=tests/faults/test_matrix.py tests/faults $(PYTEST_ARGS)

fuzz: $(VENV)/dev ## Hammer at the dashboard for a minute: a made-up formation, a real one, a real terminal
	FUZZ=$(or $(FUZZ),60) $(BIN)/python -m pytest -n 3 -q tests/fuzz $(PYTEST_ARGS)

bench: $(VENV)/dev ## Measure what is said about speed and memory, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks

bench-peers: $(VENV)/dev ## Bring other runners into PEERS (build/peers), and measure procdeck beside them
	$(BIN)/python -m benchmarks.peers.install $(or $(PEERS),build/peers)
	PEERS=$(or $(PEERS),build/peers) $(BIN)/python -m benchmarks peers

man: $(VENV)/dev ## Write docs/procdeck.1 from what the commands say of themselves
	$(BIN)/python docs/manpage.py

check: $(VENV)/dev ## Check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy procdeck tests benchmarks
	$(BIN)/lint-imports

format: $(VENV)/dev ## Bring code and imports into their form
	$(BIN)/ruff check --select I --fix-only .
	$(BIN)/ruff format .

screenshots: $(VENV)/dev ## Make the pictures in screenshots/
	$(BIN)/python screenshots/make.py

snapshots: $(VENV)/dev ## Take what the dashboard looks like now as what it is to look like
	$(BIN)/python -m pytest -n 0 -q tests/tui/test_snapshots.py --snapshot-update

clean: ## Remove .venv and everything else that was made
	rm -rf $(VENV) build dist *.egg-info .coverage .hypothesis .*_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# The environment. $(VENV)/runtime and $(VENV)/dev are dated when all that they name is installed; $(VENV)/whole tells for
# which folder that was. All three are missing from an environment whose set-up has not come to its end.

-include $(VENV)/whole
ifneq "$(WHOLE_IN)" "$(CURDIR)"
.PHONY: $(VENV)/runtime $(VENV)/dev
endif

# A dangling link does not exist for make, which then holds it for just remade: what depends on it is made again.
$(BIN)/python: ;

$(VENV)/runtime: pyproject.toml $(BIN)/python
	$(call set-up,.,$(VENV)/runtime)

$(VENV)/dev: pyproject.toml $(BIN)/python
	$(call set-up,.[dev],$(VENV)/runtime $(VENV)/dev)

# Says where a Python is, when it is good enough. By its name with the version, since python3 may be another one next year.
SUITABLE = import ensurepip, os, sys, venv; \
	here, name = os.path.split(sys.executable); \
	exact = os.path.join(here, "python%d.%d" % sys.version_info[:2]); \
	print(exact if os.path.exists(exact) else sys.executable); \
	sys.exit(sys.version_info < (3, 11))

# $(1): what to install. $(2): the stamps that are true then. Bytecode is compiled here because pip leaves out what is editable.
define set-up
@set -e; \
rm -f $(VENV)/whole $(VENV)/runtime $(VENV)/dev; \
if [ "$(WHOLE_IN)" = "$(CURDIR)" ] && $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	echo "Updating $(VENV) …"; \
else \
	for python in "$(PYTHON)" python3.13 python3.12 python3.11 python3.14 python3 ""; do \
		found=$$("$$python" -c '$(SUITABLE)' 2>/dev/null) && break; \
	done; \
	if [ -z "$$python" ]; then \
		echo "procdeck needs Python 3.11 or newer with its venv module (Debian, Ubuntu: apt install python3-venv);" \
			"if you have one, name it: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	echo "Setting up $(VENV) (once, about half a minute) …"; \
	rm -rf $(VENV); \
	"$$found" -m venv $(VENV); \
fi; \
PIP_USER=0 $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '$(1)' \
	--config-settings editable_mode=compat; \
$(BIN)/python -m compileall -q core tui procdeck || :; \
touch $(2); \
echo 'WHOLE_IN = $(CURDIR)' >$(VENV)/whole
endef
