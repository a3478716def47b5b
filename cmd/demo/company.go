package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// fillCompany makes the company's table of users, with a row for each person of
// the tenant, and returns the rows as CSV.
func fillCompany(ctx context.Context, url string, t *tenant) ([]byte, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect to the company's database: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()

	_, err = conn.Exec(ctx, `
		CREATE TABLE users (
			id             text PRIMARY KEY,
			email          text,
			phone          text,
			transaction_id text,
			verified_at    timestamptz
		)`)
	if err != nil {
		return nil, fmt.Errorf("make the table of users: %w", err)
	}
	var rows bytes.Buffer
	if err := t.UsersCSV(&rows); err != nil {
		return nil, err
	}
	_, err = conn.PgConn().CopyFrom(ctx, bytes.NewReader(rows.Bytes()),
		`COPY users (id, email, phone, transaction_id, verified_at) FROM STDIN WITH (FORMAT csv, HEADER true)`)
	if err != nil {
		return nil, fmt.Errorf("fill the table of users: %w", err)
	}
	return rows.Bytes(), nil
}
