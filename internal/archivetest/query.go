package archivetest

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ExecLedger runs a statement on the ledger.
func (tn *Tenant) ExecLedger(sql string, args ...any) {
	tn.T.Helper()
	tn.exec(tn.ledger, sql, args...)
}

// ExecSource runs a statement on the company's database.
func (tn *Tenant) ExecSource(sql string, args ...any) {
	tn.T.Helper()
	tn.exec(tn.source, sql, args...)
}

func (tn *Tenant) exec(url, sql string, args ...any) {
	tn.T.Helper()
	ctx := tn.T.Context()
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		tn.T.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	if _, err := db.Exec(ctx, sql, args...); err != nil {
		tn.T.Fatalf("%s: %v", sql, err)
	}
}

// Later makes everything that the ledger waits for come so much sooner.
func (tn *Tenant) Later(passed time.Duration) {
	tn.T.Helper()
	seconds := passed.Seconds()
	tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = next_due_at - make_interval(secs => $1)`, seconds)
	tn.ExecLedger(`ALTER TABLE archive.images DISABLE TRIGGER insert_only`)
	tn.ExecLedger(`UPDATE archive.images SET found_at = found_at - make_interval(secs => $1)`, seconds)
	tn.ExecLedger(`ALTER TABLE archive.images ENABLE TRIGGER insert_only`)
}

// Query reads one column of the ledger with plain SQL.
func Query[T any](tn *Tenant, sql string, args ...any) []T {
	tn.T.Helper()
	return query[T](tn, tn.ledger, sql, args...)
}

// UserIDs are the ids of the company's users.
func (tn *Tenant) UserIDs() []string {
	tn.T.Helper()
	return query[string](tn, tn.source, `SELECT id FROM users ORDER BY id`)
}

func query[T any](tn *Tenant, url, sql string, args ...any) []T {
	tn.T.Helper()
	ctx := tn.T.Context()
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		tn.T.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		tn.T.Fatalf("%s: %v", sql, err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		tn.T.Fatalf("%s: %v", sql, err)
	}
	return values
}

// Count reads one number of the ledger.
func (tn *Tenant) Count(sql string, args ...any) int64 {
	tn.T.Helper()
	return Query[int64](tn, sql, args...)[0]
}

// Index maps the first word of each row to the rest.
func Index(rows []string) map[string]string {
	m := make(map[string]string, len(rows))
	for _, row := range rows {
		key, rest, _ := strings.Cut(row, " ")
		m[key] = rest
	}
	return m
}
