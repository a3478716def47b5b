package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// sampleTimeout bounds each statement of a sample on the server: looking must
// not weigh on the company's database.
const sampleTimeout = 30 * time.Second

// UserSample is the first rows of the user query and what is wrong with them.
// Of rows it counts, a row may be in several counts.
type UserSample struct {
	// Estimate is the planner's guess of how many rows the whole query has.
	Estimate int64
	// Users are the rows that have an id, each id once.
	Users []store.User
	Rows  int

	NoID            int // NULL or empty
	DuplicateIDs    int // the id of an earlier row
	PersonalIDs     int // shaped like an email, a phone number or a national id
	BadTransactions int // a transaction_id that is no UUID
}

var uuids = regexp.MustCompile(uuidShape)

// Sample reads up to limit rows of the user query, in whatever order the
// database has them first. Errors are those of Describe.
func (s *Source) Sample(ctx context.Context, limit int) (UserSample, error) {
	var sample UserSample
	err := s.readOnly(ctx, pgx.TxOptions{}, sampleTimeout, func(ctx context.Context, tx pgx.Tx) error {
		const setting = "source.users_sql"
		columns, err := s.describe(ctx, tx.Conn(), setting, s.usersSQL)
		if err != nil {
			return err
		}
		if err := readTextAsUTC(ctx, tx); err != nil {
			return err
		}
		whole, err := explain(ctx, tx, `SELECT u.id FROM `+asTable(s.usersSQL))
		if err != nil {
			return unusable(setting, err)
		}
		sample.Estimate = int64(whole.Rows)
		rows, err := tx.Query(ctx, userColumns(columns)+` FROM `+asTable(s.usersSQL)+` LIMIT $1`, limit)
		if err != nil {
			return unusable(setting, err)
		}
		return unusable(setting, sample.read(rows))
	})
	return sample, s.failed("read a sample of users", err)
}

func (u *UserSample) read(rows pgx.Rows) error {
	seen := make(map[string]bool)
	var id *string
	var user store.User
	var verified *time.Time
	_, err := pgx.ForEachRow(rows, []any{&id, (*string)(&user.Email), (*string)(&user.Phone), &user.TransactionID, &verified}, func() error {
		u.Rows++
		if id == nil || *id == "" {
			u.NoID++
			return nil
		}
		if seen[*id] {
			u.DuplicateIDs++
			return nil
		}
		seen[*id] = true
		if store.LooksPersonal([]byte(*id)) {
			u.PersonalIDs++
		}
		if user.TransactionID != "" && !uuids.MatchString(user.TransactionID) {
			u.BadTransactions++
		}
		user.ID, user.VerifiedAt = *id, orZero(verified)
		u.Users = append(u.Users, user)
		return nil
	})
	return err
}

// LookupCost is what it takes the database to find a batch of users again.
type LookupCost struct {
	Found int // of the ids asked for
	Took  time.Duration
	// Scanned is the largest table that is read from end to end for it, and
	// ScannedRows how many rows that has; "" without one.
	Scanned     string
	ScannedRows int64
}

// LookupCost looks the ids up as a run does, within a bound of time, and has the
// planner explain it.
func (s *Source) LookupCost(ctx context.Context, ids []string) (LookupCost, error) {
	var cost LookupCost
	err := s.readOnly(ctx, pgx.TxOptions{}, sampleTimeout, func(ctx context.Context, tx pgx.Tx) error {
		setting, query := s.lookupQuery()
		columns, err := s.describe(ctx, tx.Conn(), setting, query)
		if err != nil {
			return err
		}
		plan, err := explain(ctx, tx, s.lookupStatement(columns, query), ids)
		if err != nil {
			return unusable(setting, err)
		}
		for _, table := range plan.scanned(nil) {
			rows, err := tableRows(ctx, tx, table)
			if err != nil {
				return err
			}
			if rows >= cost.ScannedRows {
				cost.Scanned, cost.ScannedRows = table.name(), rows
			}
		}
		return nil
	})
	if err != nil {
		return cost, s.failed("explain the look-up of users", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	began := time.Now()
	users, err := s.find(ctx, ids)
	cost.Found, cost.Took = len(users), time.Since(began)
	return cost, s.failed("look up users", err)
}

// tableRows is the planner's knowledge of a table's size, or for a table that
// was never analyzed a guess of 100 bytes a row.
func tableRows(ctx context.Context, tx pgx.Tx, table planNode) (rows int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT coalesce(max(CASE WHEN c.reltuples < 0 THEN pg_relation_size(c.oid) / 100 ELSE c.reltuples END), 0)::bigint
		FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = $2`, table.Schema, table.Relation).Scan(&rows)
	return rows, err
}

// planNode is a step of a plan (PostgreSQL documentation, EXPLAIN, FORMAT JSON).
type planNode struct {
	Type     string     `json:"Node Type"`
	Schema   string     `json:"Schema"`
	Relation string     `json:"Relation Name"`
	Rows     float64    `json:"Plan Rows"`
	Steps    []planNode `json:"Plans"`
}

func (n planNode) name() string { return n.Schema + "." + n.Relation }

// scanned appends the tables that are read from end to end.
func (n planNode) scanned(tables []planNode) []planNode {
	if strings.HasSuffix(n.Type, "Seq Scan") && n.Relation != "" {
		tables = append(tables, n)
	}
	for _, step := range n.Steps {
		tables = step.scanned(tables)
	}
	return tables
}

func explain(ctx context.Context, tx pgx.Tx, statement string, args ...any) (planNode, error) {
	var text []byte
	if err := tx.QueryRow(ctx, `EXPLAIN (VERBOSE, FORMAT JSON) `+statement, args...).Scan(&text); err != nil {
		return planNode{}, err
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 {
		return planNode{}, fmt.Errorf("read the plan of a query: %w", err)
	}
	return plans[0].Plan, nil
}
