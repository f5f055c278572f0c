.DEFAULT_GOAL := help
.PHONY: help seed-secrets build test check fmt bench lint purity doc docs deny e2e fuzz install properties servers uninstall

# Where values are kept, for which environment, and any further flags of `seed apply`.
BACKEND ?= local
ENV ?= ai-dev
FLAGS ?=
CARGO ?= cargo
TIME ?= 600
CASES ?= 4000
# What `make test` draws its inputs from, so that a change is judged by the same ones every time.
SEED ?= 20261122

# Where `make install` puts things. PROGRAM names a program that is there already, so that none is built.
PREFIX ?= /usr/local
DESTDIR ?=
PROGRAM ?=
target = $(or $(CARGO_TARGET_DIR),target)
built = $(target)/release/seed
installed = $(DESTDIR)$(PREFIX)/bin/seed
share = $(DESTDIR)$(PREFIX)/share
bash = $(share)/bash-completion/completions
zsh = $(share)/zsh/site-functions
fish = $(share)/fish/vendor_completions.d
pages = $(share)/man/man1

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

seed-secrets: ## Create what is missing and write the manifests (BACKEND=, ENV=, FLAGS=)
	@$(CARGO) run --quiet --locked --bin seed -- apply --contract contracts/llm-platform.yaml --env $(ENV) --backend $(BACKEND) --emit build/manifests/$(ENV) --missing-ok $(FLAGS)

build: ## Build the program
	$(CARGO) build --locked --release --bin seed

test: ## Run every test that needs the Rust toolchain alone
	PROPTEST_RNG_SEED=$(SEED) $(CARGO) test --locked --workspace --all-features --no-fail-fast

properties: ## Try the properties with many other inputs than `make test` (CASES= for each)
	PROPTEST_CASES=$(CASES) $(CARGO) test --locked --package seed-core --package seed-engine --package seed-cli --all-features

check: ## Check formatting, lints, purity and documentation
	$(CARGO) fmt --all --check && $(MAKE) lint purity doc

lint: ## Run clippy, warnings refused
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- --deny warnings

# With the features that `make test` has, so that the libraries are not built a second time.
purity: ## Check that crates depend on each other one way, and that the core does no I/O
	$(CARGO) test --locked --quiet --workspace --all-features --test purity

doc: ## Build the documentation of the code, warnings refused
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --locked --workspace --no-deps --quiet

install: ## Install the program, completions and manual pages (PREFIX=, DESTDIR=, PROGRAM=)
	@test -n "$(PROGRAM)" || $(MAKE) build
	umask 022 && install -d "$(DESTDIR)$(PREFIX)/bin" "$(bash)" "$(zsh)" "$(fish)" "$(pages)"
	install -m 755 "$(or $(PROGRAM),$(built))" "$(installed)"
	umask 022 && "$(installed)" completions bash > "$(bash)/seed"
	umask 022 && "$(installed)" completions zsh > "$(zsh)/_seed"
	umask 022 && "$(installed)" completions fish > "$(fish)/seed.fish"
	umask 022 && "$(installed)" man --out "$(pages)"

uninstall: ## Remove what `make install` put there (PREFIX=, DESTDIR=)
	pages=$$("$(installed)" man --list) && for page in $$pages; do rm -f "$(pages)/$$page"; done
	rm -f "$(bash)/seed" "$(zsh)/_seed" "$(fish)/seed.fish" "$(installed)"

docs: ## Write the made pages of docs/reference again
	$(CARGO) build --locked --quiet --workspace --all-features --example reference && "$(target)/debug/examples/reference"

fmt: ## Format the code
	$(CARGO) fmt --all

# With the features and targets that the benchmarks build it with, so that it is built once.
bench: ## Measure time and memory beside the budgets
	$(CARGO) build --locked --release --workspace --all-features --bin seed --test purity
	$(CARGO) bench --locked --workspace --all-features --bench budgets --bench services

fuzz: ## Let libFuzzer look for inputs that break a promise (TIME= seconds for each target; needs a C++ compiler)
	TIME=$(TIME) tests/fuzz/run.sh

servers: ## Build the servers and clients that `make e2e` needs, into a cache (Vault, etcd, kube-apiserver, External Secrets Operator, moto; needs Go and Python)
	tests/servers/build.sh

e2e: ## Run the tests that need real servers or other programs (Go), and build or install the rest
	tests/e2e/run.sh

deny: ## Check licences, advisories and sources (needs cargo-deny)
	$(CARGO) deny check
