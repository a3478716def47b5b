package postgres

import (
	"context"
	"encoding/hex"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// Rebuild is an empty ledger that is being filled from what stands in the
// bucket. It belongs to one goroutine.
//
// All of it is one transaction. A ledger that is filled by half looks the
// same as one that has lost half, and half-way points would have to be proved
// against the bucket all the same; reading the bucket again costs minutes and no
// request to the vendor.
type Rebuild struct {
	tx       pgx.Tx
	at       place
	analyzed bool // images and records have statistics
}

// Rebuild makes this ledger the one of the archive, lets fill add what the bucket
// has, and keeps all of it or nothing. Runs that start meanwhile wait. A ledger
// that holds anything but its tables is store.ErrNotEmpty; the user query is read
// first, in one snapshot, so that what is added can be linked to users.
func (u *Users) Rebuild(ctx context.Context, identity store.ArchiveIdentity, key store.SubjectKey, allowPersonalIDs bool, fill func(*Rebuild) error) error {
	var filling error // says already what failed, and need not be the ledger's
	err := u.ledger.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if err := beginRebuild(ctx, tx, identity); err != nil {
			return err
		}
		rows, _, err := u.stage(ctx, tx)
		if err != nil {
			return err
		}
		// All of them are new to an empty ledger.
		if _, err := compare(ctx, tx, rows, allowPersonalIDs, false); err != nil {
			return err
		}
		if err := findSubjects(ctx, tx, key); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `
			CREATE UNIQUE INDEX ON pg_temp.new_subjects (subject);
			ANALYZE pg_temp.new_subjects;
			CREATE TEMPORARY TABLE findings (
				run_id text COLLATE "C", subject text COLLATE "C", transaction_id text COLLATE "C", at timestamptz, outcome text, class text
			) ON COMMIT DROP;
			CREATE TEMPORARY TABLE run_sums (key text COLLATE "C", sha256 text COLLATE "C", ended_at timestamptz) ON COMMIT DROP;
			CREATE TEMPORARY TABLE entries (log_index bigint, sha256 text COLLATE "C") ON COMMIT DROP`); err != nil {
			return err
		}
		filling = fill(&Rebuild{tx: tx, at: u.ledger.place})
		return filling
	})
	if filling != nil {
		return filling
	}
	return u.ledger.failed("rebuild the ledger", err)
}

// failed gives an error the words of the ledger. Files that contradict each other
// do not get past the tables' constraints.
func (r *Rebuild) failed(operation string, err error) error {
	if hasCode(err, uniqueViolation) {
		err = errConflictingHistory
	}
	return failure(r.at, operation, err)
}

// beginRebuild takes the ledger, if nothing is in it.
func beginRebuild(ctx context.Context, tx pgx.Tx, identity store.ArchiveIdentity) error {
	// The transaction is idle while the bucket is read.
	if _, err := tx.Exec(ctx, `
		SET LOCAL idle_in_transaction_session_timeout = 0;
		LOCK TABLE archive.runs, archive.subjects IN EXCLUSIVE MODE`); err != nil {
		return err
	}
	var full bool
	if err := tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM archive.runs) OR EXISTS (SELECT 1 FROM archive.subjects)
		    OR EXISTS (SELECT 1 FROM archive.records) OR EXISTS (SELECT 1 FROM archive.images)
		    OR EXISTS (SELECT 1 FROM archive.outcomes) OR EXISTS (SELECT 1 FROM archive.log_entries)
		    OR EXISTS (SELECT 1 FROM archive.access_log) OR EXISTS (SELECT 1 FROM archive.verifications)
		    OR EXISTS (SELECT 1 FROM archive.exceptions)`).Scan(&full); err != nil {
		return err
	}
	if full {
		return store.ErrNotEmpty
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO archive.archive (layout_version, origin, tenancy_name, key_check, place)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (only_row) DO UPDATE
		SET layout_version = excluded.layout_version, origin = excluded.origin, tenancy_name = excluded.tenancy_name,
		    key_check = excluded.key_check, place = excluded.place`,
		identity.LayoutVersion, identity.Origin, identity.TenancyName, identity.KeyCheck, identity.Place)
	return err
}

// AddAccess adds a row to the access log.
func (r *Rebuild) AddAccess(ctx context.Context, a store.Access) error {
	_, err := r.tx.Exec(ctx, addAccessSQL, accessArgs(a)...)
	return r.failed("add to the access log", err)
}

// AddVerification adds a verification.
func (r *Rebuild) AddVerification(ctx context.Context, v store.Verification) error {
	_, err := r.tx.Exec(ctx, addVerificationSQL, verificationArgs(v)...)
	return r.failed("add a verification", err)
}

// AddExceptions adds those of one statement.
func (r *Rebuild) AddExceptions(ctx context.Context, exceptions []store.Exception) error {
	return r.failed("add exceptions", copyExceptions(ctx, r.tx, exceptions))
}

// AddEntries adds hashes of entries of the log, from this index on. They become
// entries when Settle knows which objects they are of.
func (r *Rebuild) AddEntries(ctx context.Context, from int64, hashes [][32]byte) error {
	_, err := r.tx.CopyFrom(ctx, pgx.Identifier{"pg_temp", "entries"}, []string{"log_index", "sha256"},
		pgx.CopyFromSlice(len(hashes), func(n int) ([]any, error) {
			return []any{from + int64(n), hex.EncodeToString(hashes[n][:])}, nil
		}))
	return r.failed("add entries of the log", err)
}

// SetHead keeps the log's last checkpoint.
func (r *Rebuild) SetHead(ctx context.Context, head store.LogHead) error {
	_, err := r.tx.Exec(ctx, `UPDATE archive.log SET size = $1, root = $2, etag = $3, sealed_at = now()`, head.Size, head.Root, head.ETag)
	return r.failed("keep the checkpoint", err)
}
