# Every target builds the tools that it needs with Go, and installs Debian packages
# for what else it starts.
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
CYCLONEDX := go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
GOVULNCHECK := go run golang.org/x/vuln/cmd/govulncheck@v1.9.0
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

INSTALL := @internal/testservices/install.sh

.PHONY: help build test lint sbom vulnerabilities fmt demo report-picture fuzz faults bench bench-growth bench-quota bench-verify

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: ## bin/vlens-archiver, static; the same commit gives the same bytes anywhere
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/vlens-archiver ./cmd/vlens-archiver

# The longest packages come first, and more at a time than there are cores: they wait a
# lot.
test: ## all tests, with the race detector, on a real Postgres and a real S3 server
	$(INSTALL) postgresql pgbouncer chromium openssl python3
	TMPDIR=$$(internal/testservices/tempdir.sh) go test -race -ldflags=-w -timeout 30m -p 3 ./worker ./faults ./...

faults: ## kill, cut and fail everything, at length; FAULTS_SEED=… replays
	$(INSTALL) postgresql
	FAULTS=long go test -count=1 -timeout 30m -v ./faults

lint: ## formatting, static checks, import arrows
	$(GOLANGCI_LINT) run ./...

sbom: build ## bin/sbom.cdx.json: what is in the binary, as CycloneDX
	$(CYCLONEDX) bin -json -noserial -notimestamp -version $(VERSION) -output bin/sbom.cdx.json bin/vlens-archiver

vulnerabilities: ## known vulnerabilities that the program reaches; needs internet
	$(GOVULNCHECK) ./cmd/vlens-archiver

fmt: ## format the code
	$(GOLANGCI_LINT) fmt ./...

demo: ## archive 200 synthetic users on embedded services and leave a folder to look at
	$(INSTALL) postgresql
	go run ./cmd/demo $(DEMO)

report-picture: ## docs/report.png, from a synthetic archive
	$(INSTALL) postgresql chromium
	@set -e; dir=$$(mktemp -d); trap 'rm -r "$$dir"' EXIT; \
	go test ./audit/report -count=1 -run '^TestReportInChromium$$' -pictures "$$dir" && cp "$$dir/readme.png" docs/report.png

fuzz: ## each fuzz target for FUZZTIME (default 60s)
	@set -e; for package in $$(grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9]+' $$package/*_test.go | sed 's/func //'); do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(or $(FUZZTIME),60s) $$package; \
		done; \
	done

bench: build bin/bento ## beside Bento and Python, in half an hour; BENCH='-sizes 300' takes a part; writes bench/RESULTS.md
	$(INSTALL) postgresql python3-requests python3-boto3 python3-psycopg2
	go build -trimpath -o bin/floor ./bench/floor
	go run ./bench/peers $(BENCH)

bin/bento: bench/peers/bento/go.mod bench/peers/bento/main.go
	cd bench/peers/bento && CGO_ENABLED=0 nice go build -trimpath -o ../../../bin/bento .

bench-growth: build ## up to 100,000 and 1,000,000 users, in half an hour; BENCH='-runs=false' takes a part; writes bench/RESULTS.md
	$(INSTALL) postgresql
	go run ./bench/growth $(BENCH)

bench-quota: build ## how three processes share the quota, in two and a half minutes; writes bench/QUOTA.md
	$(INSTALL) postgresql
	go run ./bench/quota

bench-verify: build ## a deep verification of 1 GB beside a plain download; writes bench/VERIFY.md
	$(INSTALL) postgresql
	go run ./bench/verify
