package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/progress"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// runText says how the two runs went. Classes say why users are partial
// or failed.
func runText(done runs, lines map[store.Subject]manifest.Line) string {
	totals := done.first.Totals
	var requests int64
	for _, n := range totals.Requests {
		requests += n
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\nFirst run, %s: %s users, %s images, %s, %s requests\n\n",
		progress.Span(done.firstTook), progress.Count(int64(len(lines))), progress.Count(totals.Images), progress.Bytes(totals.Bytes), progress.Count(requests))
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "  OUTCOME\tUSERS\tWHY")
	for _, outcome := range store.Outcomes {
		if n := totals.Outcomes[outcome]; n > 0 {
			_, _ = fmt.Fprintf(table, "  %s\t%s%s\n", outcome, progress.Count(n), classesCell(lines, outcome))
		}
	}
	_ = table.Flush() // a strings.Builder takes everything
	fmt.Fprintf(&text, "\nSecond run: %d image requests, %d requests in all: nobody is due.\n", done.imageRequests, done.requests)
	return text.String()
}

// classesCell is the last cell of an outcome's row, with its failure classes:
// "gone 1, vendor_error 2". An outcome without classes has no such cell.
func classesCell(lines map[store.Subject]manifest.Line, outcome store.Outcome) string {
	counts := map[store.Class]int{}
	for _, line := range lines {
		if line.Outcome == outcome && line.Class != nil {
			counts[*line.Class]++
		}
	}
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", class, counts[class]))
	}
	if len(parts) == 0 {
		return ""
	}
	return "\t" + strings.Join(parts, ", ")
}

// checkedText says what was found right, and where it is.
func checkedText(images, records int, verified verify.Report, dir string) string {
	return fmt.Sprintf(`Checked: every user ended as the simulator meant it, also those it made awkward;
%s images and %s records hold what they must. Verified as an auditor would:
every object read again and hashed, every record and run found in the signed log of
%s entries.

Look at %s
  README.txt      what is what
  images/         a folder per person and verification, to open and look at
  bucket/         everything as it stands in S3; sha256sum -c agrees
  manifest.jsonl  a line per user: outcome and images
  ledger/         the audit tables as CSV
  config.yaml     the configuration used`,
		progress.Count(int64(images)), progress.Count(int64(records)), progress.Count(verified.Log.Size), dir)
}

// reachText says how to reach the servers that keep running.
func reachText(s *services, dir string) string {
	account := "AWS_ACCESS_KEY_ID=" + accessKey + " AWS_SECRET_ACCESS_KEY=" + secretKey
	return fmt.Sprintf(`
Still running, until Ctrl-C:

  ledger     psql '%s' -c 'TABLE archive.coverage'
  users      psql '%s' -c 'TABLE users LIMIT 10'
  bucket     %s aws --endpoint-url %s --region %s s3 ls --recursive s3://%s/
  simulator  curl %s/_sim/counters
  archiver   %s go run ./cmd/vlens-archiver --config '%s/%s' status`,
		s.postgres.URL(ledgerDatabase), s.postgres.URL(companyDatabase),
		account, s.s3.Endpoint(), s3server.Region, bucketName,
		s.tenant.url,
		account, dir, configFile)
}

// readmeText says what is what in the folder; run is the first run's folder.
func readmeText(run string) string {
	return fmt.Sprintf(`What a demo of vlens-archiver left here. Nobody in it is real.

images/SUBJECT/TRANSACTION/KIND.jpg
    The images, to open and look at. SUBJECT is the pseudonym of a user;
    ledger/users.csv says whose. Each file is a hard link into bucket/.

bucket/
    Every object of the archive as it stands in S3, under its key without the
    prefix. Beside the images of a verification, record.0001.json states what was
    archived. To check all of the first run with standard tools:

      cd bucket && sha256sum -c %s/SHA256SUMS

    That folder also has the run's summary.json, its manifest.jsonl.gz, objects.csv,
    which lists the objects with their version ids, report.html to open in a
    browser, and the checkpoint of the signed log in bucket/log.

manifest.jsonl
    The first run's manifest, unpacked: one line per user.

ledger/*.csv
    The audit tables of PostgreSQL: runs, coverage (users by state), failures
    (by class), users, outcomes and images. The database itself ended with the
    demo; "demo --keep" keeps it running and says how to reach it with psql.

users.csv
    The company's table of users that the archiver read.

config.yaml
    The configuration used.

log.jsonl
    What the archiver logged. It names no person, phone or email.

Some users are not archived, or only in part, on purpose: the simulator makes them awkward.
`, strings.TrimPrefix(run, bucketDir+"/"))
}
