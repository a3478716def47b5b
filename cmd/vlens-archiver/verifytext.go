package main

import (
	"fmt"
	"strings"

	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/config"
	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
)

var verdictText = map[verify.Verdict]string{
	verify.Clean:    "clean: everything is as it was archived",
	verify.Warnings: "no damage; see the warnings",
	verify.Damage:   "DAMAGED",
}

var modeText = map[store.VerifyMode]string{
	store.VerifyDefault:   "images by the bucket's listing; records, run files and log read",
	store.VerifyChecksums: "images by the SHA-256 that S3 holds; records, run files and log read",
	store.VerifyDeep:      "everything downloaded and hashed",
}

// shownOfSort is how many findings of a sort people see; --json has more.
const shownOfSort = 20

func verifyText(r verify.Report, cfg *config.Config) string {
	var text page
	text.line("%s", verdictText[r.Verdict])
	text.line("%s", modeText[r.Mode])
	c := r.Counts
	text.line("%s users, %s images, %s records, %s runs, %s log entries; %s read in %s", progress.Count(c.Subjects), progress.Count(c.Images),
		progress.Count(c.Records), progress.Count(c.Runs), progress.Count(c.LogEntries), progress.Bytes(c.BytesRead), progress.Span(r.EndedAt.Sub(r.StartedAt)))
	if r.Scope.Seed != "" {
		text.line("%s", sharesText(r))
	}
	if c.InProgress > 0 {
		text.line("%s objects belong to attempts or runs in progress", progress.Count(c.InProgress))
	}
	text.line("%s", logText(r.Log))
	if len(r.Findings) > 0 {
		text.line("")
		text.table(findingRows(r))
		text.line("")
		for _, info := range verify.Sorts {
			if r.Totals[info.Sort] > 0 {
				text.line("%s (%s): %s.\n  next: %s", info.Sort, progress.Count(r.Totals[info.Sort]), info.Meaning, info.Remedy)
			}
		}
	}
	if r.AuditKey != "" {
		text.line("")
		text.line("stated in s3://%s/%s", cfg.Archive.Bucket, r.AuditKey)
	}
	return text.String()
}

func sharesText(r verify.Report) string {
	var shares []string
	if r.Scope.Sample > 0 {
		shares = append(shares, fmt.Sprintf("records and images of %g %% of the users were read (%s left out)", r.Scope.Sample, progress.Count(r.Counts.NotSampled)))
	}
	if r.Scope.Decode > 0 {
		shares = append(shares, fmt.Sprintf("pixels of %g %% of the images were decoded (%s)", r.Scope.Decode, progress.Count(r.Counts.Decoded)))
	}
	return strings.Join(append(shares, "seed "+r.Scope.Seed), "; ")
}

func logText(log *verify.LogReport) string {
	if log == nil {
		return "log: none"
	}
	return fmt.Sprintf("log: %s entries, root %s, signature %s", progress.Count(log.Size), log.Root, log.Signature)
}

func findingRows(r verify.Report) [][]string {
	rows := [][]string{{"FINDING", "KEY", "DETAIL"}}
	shown := make(map[verify.Sort]int64)
	for _, finding := range r.Findings {
		if shown[finding.Sort]++; shown[finding.Sort] <= shownOfSort {
			rows = append(rows, []string{string(finding.Sort), finding.Key, finding.Detail})
		} else if shown[finding.Sort] == shownOfSort+1 {
			rows = append(rows, []string{string(finding.Sort), fmt.Sprintf("and %s more", progress.Count(r.Totals[finding.Sort]-shownOfSort)), "--json shows up to 1,000 of each"})
		}
	}
	return rows
}
