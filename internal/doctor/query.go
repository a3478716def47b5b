package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
	"vlens-archiver/worker"
)

const (
	adviseQuery       = "correct source.users_sql: one SELECT with the columns id, email and phone, which the role may read"
	adviseColumns     = "add the missing columns to source.users_sql if your database has them: with transaction_id Vlens is never asked for one, with verified_at a new verification is archived at once"
	adviseIDs         = "make source.users_sql give one row a user, with an id that is never NULL or empty"
	advisePersonalIDs = "use another column as id: the ledger keeps ids as they are; only if there is none, set source.allow_personal_ids"
	adviseTransaction = "make transaction_id of source.users_sql the UUID that your app gave to the Vlens SDK, or leave the column out"
	adviseIdentifier  = "check the columns phone and email, source.identifiers and source.phone_region; a user without one fails with class no_identifier"
	adviseNoUsers     = "check source.users_sql and the database in source.database_url, unless nobody is there yet"
	adviseLookup      = "set source.lookup_sql to the same columns … WHERE id = ANY($1), on a column with an index; ids are looked up for every batch"
	adviseLookupUsers = "make source.lookup_sql give the same ids as source.users_sql"
)

const (
	sourceQuery = "source.query"
	sourceUsers = "source.users"
	// sampleRows is how many rows are looked at; never the whole query.
	sampleRows = 1000
	// lookupIDs is a batch of users as runs look them up.
	lookupIDs = 64
	// lookupWait is for the plan and the look-up, each bounded on the server too.
	lookupWait = 70 * time.Second
	// largeTable is from where on reading a whole table for each batch hurts.
	largeTable = 100_000
)

func queryChecks() []check {
	return []check{
		{
			name: sourceQuery, tried: "have the database describe source.users_sql",
			remedies: []string{adviseQuery, adviseColumns}, needs: []string{sourceServer},
			run: (*examination).describeQuery,
		},
		{
			name: sourceUsers, tried: "read the first 1,000 rows of source.users_sql and count what is in them",
			remedies: []string{adviseQuery, adviseNoUsers, adviseIDs, advisePersonalIDs, adviseTransaction, adviseIdentifier}, needs: []string{sourceQuery},
			run: (*examination).sampleUsers,
		},
		{
			name: "source.lookup", tried: "look up a batch of these users again, and have the planner explain it",
			remedies: []string{adviseLookup, adviseLookupUsers}, needs: []string{sourceUsers},
			within: lookupWait, run: (*examination).costLookup,
		},
	}
}

func (e *examination) describeQuery(ctx context.Context) finding {
	columns, err := e.source.Describe(ctx)
	if err != nil {
		return failed(adviseQuery, err)
	}
	var have, lack []string
	for _, column := range []struct {
		name  string
		there bool
	}{
		{"id", columns.ID},
		{"email", columns.Email},
		{"phone", columns.Phone},
		{"transaction_id", columns.TransactionID},
		{"verified_at", columns.VerifiedAt},
	} {
		if column.there {
			have = append(have, column.name)
		} else {
			lack = append(lack, column.name)
		}
	}
	f := ok("it has %s", strings.Join(have, ", "))
	if len(lack) > 0 {
		f = warn(adviseColumns, "it has %s; it lacks %s", strings.Join(have, ", "), strings.Join(lack, ", "))
	}
	return f.with("columns", have)
}

// sampled is what the rows have, in numbers of users.
type sampled struct{ phone, email, neither, transaction, verified int }

func (e *examination) sampleUsers(ctx context.Context) finding {
	sample, err := e.source.Sample(ctx, sampleRows)
	if err != nil {
		return failed(adviseQuery, err)
	}
	e.sample = sample
	have := e.count(sample.Users)
	estimate := "about " + progress.Count(max(sample.Estimate, sampleRows))
	if sample.Rows < sampleRows {
		estimate = count(sample.Rows) // that was all
	}
	text := fmt.Sprintf("%s users; of %s rows read, %s have a phone, %s an email, %s a transaction id, %s a verified_at", estimate, count(sample.Rows),
		count(have.phone), count(have.email), count(have.transaction), count(have.verified))
	return e.judgeSample(sample.Rows, have, text).
		with("estimated_users", sample.Estimate).with("rows", sample.Rows).
		with("phone", have.phone).with("email", have.email).with("no_identifier", have.neither).
		with("transaction_id", have.transaction).with("verified_at", have.verified).
		with("no_id", sample.NoID).with("duplicate_ids", sample.DuplicateIDs).
		with("personal_ids", sample.PersonalIDs).with("bad_transaction_ids", sample.BadTransactions)
}

func (e *examination) count(users []store.User) sampled {
	order := app.Identifiers(e.cfg)
	var have sampled
	for _, user := range users {
		usable := worker.Usable(user, order, e.cfg.Source.PhoneRegion)
		if slices.Contains(usable, worker.ByPhone) {
			have.phone++
		}
		if slices.Contains(usable, worker.ByEmail) {
			have.email++
		}
		if len(usable) == 0 {
			have.neither++
		}
		if user.TransactionID != "" {
			have.transaction++
		}
		if !user.VerifiedAt.IsZero() {
			have.verified++
		}
	}
	return have
}

// judgeSample names the worst that is wrong with the rows, in the order in which
// a run would refuse them.
func (e *examination) judgeSample(rows int, have sampled, text string) finding {
	sample := e.sample
	switch {
	case rows == 0:
		return warn(adviseNoUsers, "source.users_sql has no rows")
	case sample.NoID > 0:
		return misfit(adviseIDs, "%s; %s rows have no id", text, count(sample.NoID))
	case sample.DuplicateIDs > 0:
		return misfit(adviseIDs, "%s; %s rows repeat the id of another", text, count(sample.DuplicateIDs))
	case sample.PersonalIDs > 0 && !e.cfg.Source.AllowPersonalIDs:
		return misfit(advisePersonalIDs, "%s; %s ids are shaped like a phone number, an email or a national id", text, count(sample.PersonalIDs))
	case sample.BadTransactions > 0:
		return misfit(adviseTransaction, "%s; %s transaction ids are no UUID", text, count(sample.BadTransactions))
	case have.neither == len(sample.Users):
		return misfit(adviseIdentifier, "%s; nobody has an identifier that Vlens could be asked by", text)
	case have.neither > 0:
		return warn(adviseIdentifier, "%s; %s users have no identifier that Vlens could be asked by", text, count(have.neither))
	case sample.PersonalIDs > 0:
		return warn(advisePersonalIDs, "%s; %s ids are shaped like a phone number, an email or a national id, and are allowed", text, count(sample.PersonalIDs))
	}
	return ok("%s", text)
}

func count(n int) string { return progress.Count(int64(n)) }

func (e *examination) costLookup(ctx context.Context) finding {
	if len(e.sample.Users) == 0 {
		return skip("there is no user to look up")
	}
	ids := make([]string, 0, lookupIDs)
	for _, user := range e.sample.Users[:min(lookupIDs, len(e.sample.Users))] {
		ids = append(ids, user.ID)
	}
	cost, err := e.source.LookupCost(ctx, ids)
	var f finding
	switch {
	case err != nil:
		return failed(adviseLookup, err)
	case cost.Found == 0:
		f = misfit(adviseLookupUsers, "of %d users just read, none was found again", len(ids))
	case cost.Found < len(ids):
		f = warn(adviseLookupUsers, "of %d users just read, %d were found again", len(ids), cost.Found)
	case cost.ScannedRows >= largeTable:
		f = warn(adviseLookup, "%d users in %s, but the whole table %s with about %s rows is read for every batch",
			len(ids), rounded(cost.Took), cost.Scanned, progress.Count(cost.ScannedRows))
	default:
		f = ok("%d users in %s", len(ids), rounded(cost.Took))
	}
	return f.with("ids", len(ids)).with("found", cost.Found).with("took_seconds", cost.Took.Seconds()).
		with("scanned_table", cost.Scanned).with("scanned_rows", cost.ScannedRows)
}
