# One set of commands for a laptop and for CI. Each is a script in scripts/ that says why it exists.
.DEFAULT_GOAL := help
.PHONY: help run stop test check bench lighthouse chaos prepare fmt

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, build, seed and serve on http://127.0.0.1:3000
	@bash scripts/run.sh

stop: ## stop what `make run` started
	@bash scripts/stop.sh

test: ## every check and every test, on databases of its own
	@bash scripts/test.sh

check: ## format, lints, .sqlx up to date, arrows between the rooms
	@bash scripts/check.sh

bench: ## measure the budgets on this machine, on databases of its own
	@timeout -k 30 3600 bash scripts/bench.sh

lighthouse: ## what Lighthouse says of home, list, book and cart; fails below the budgets
	@bash scripts/lighthouse.sh

chaos: ## shop while everything is killed, frozen and made to forget (SEED, MINUTES), then prove every promise
	@bash scripts/chaos.sh

prepare: ## rewrite .sqlx after a change of a query or a migration
	@bash scripts/sqlx.sh write

fmt: ## format the code
	@cargo fmt --all
