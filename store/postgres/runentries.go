package postgres

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// RunEntries yields the users of a run in the order of their subjects. They are
// read as a stream; an error ends it.
func (l *Ledger) RunEntries(ctx context.Context, runID string) iter.Seq2[store.RunEntry, error] {
	return func(yield func(store.RunEntry, error) bool) {
		failed := func(err error) {
			if err != nil {
				yield(store.RunEntry{}, l.failed(fmt.Sprintf("read users of run %q", runID), err))
			}
		}
		rows, err := l.pool.Query(ctx, `
			SELECT o.subject, o.outcome, o.state, o.class, o.transaction_id, o.requests,
			       o.record_key, o.record_sha256, coalesce(r.version_id, ''), coalesce(r.sequence, 0), r.archived_at,
			       i.kind, i.state, i.class, i.ref, i.key, i.version_id, i.etag, i.bytes, i.media_type, i.width, i.height,
			       i.sha256, i.flags, i.fetched_at
			FROM archive.outcomes AS o
			LEFT JOIN archive.records AS r ON r.key = o.record_key AND o.record_key <> ''
			LEFT JOIN LATERAL (
				SELECT c.image_id, c.kind, c.state, c.class, c.ref, c.key, c.version_id, c.etag, c.bytes, c.media_type, c.width, c.height,
				       c.sha256, c.flags, c.fetched_at
				FROM archive.current_images AS c
				WHERE c.subject = o.subject AND c.transaction_id = o.transaction_id AND o.transaction_id <> ''
				ORDER BY array_position($2::text[], c.kind), c.image_id
			) AS i ON true
			WHERE o.run_id = $1
			ORDER BY o.subject, array_position($2::text[], i.kind), i.image_id`, runID, store.Kinds[:])
		if err != nil {
			failed(err)
			return
		}
		defer rows.Close()

		// A user is several rows, one for each image.
		var entry store.RunEntry
		for rows.Next() {
			next, image, err := scanEntry(rows)
			if err != nil {
				failed(err)
				return
			}
			if next.Subject != entry.Subject {
				if entry.Subject != "" && !yield(entry, nil) {
					return
				}
				entry = next
			}
			if image != nil {
				entry.Images = append(entry.Images, *image)
			}
		}
		if err := rows.Err(); err != nil {
			failed(err)
			return
		}
		if entry.Subject != "" {
			yield(entry, nil)
		}
	}
}

// scanEntry reads a row of RunEntries; image is nil when the user has none.
func scanEntry(rows pgx.Rows) (entry store.RunEntry, image *store.Image, err error) {
	var recorded, fetched *time.Time
	var kind, state, class, ref, key, version, etag, media, sha *string
	var bytes *int64
	var width, height *int
	var flags []store.Flag
	err = rows.Scan(&entry.Subject, &entry.Outcome, &entry.State, &entry.Class, &entry.Transaction, &entry.Requests,
		&entry.Record.Key, &entry.Record.SHA256, &entry.Record.VersionID, &entry.Record.Sequence, &recorded,
		&kind, &state, &class, &ref, &key, &version, &etag, &bytes, &media, &width, &height, &sha, &flags, &fetched)
	if err != nil {
		return entry, nil, err
	}
	if entry.Record.Key != "" {
		entry.Record.Transaction = entry.Transaction
		entry.Record.ArchivedAt = orZero(recorded)
	}
	if kind == nil {
		return entry, nil, nil
	}
	return entry, &store.Image{
		Kind: store.Kind(*kind), State: store.ImageState(*state), Class: store.Class(*class), Ref: store.Ref(*ref),
		Key: *key, VersionID: *version, ETag: *etag, Bytes: *bytes, MediaType: *media, Width: *width, Height: *height,
		SHA256: *sha, Flags: flags, FetchedAt: orZero(fetched),
	}, nil
}

// RunObjects yields the images and records that the run wrote, each once, in
// the order of their keys. They are read as a stream; an error ends it.
func (l *Ledger) RunObjects(ctx context.Context, runID string) iter.Seq2[store.RunObject, error] {
	return func(yield func(store.RunObject, error) bool) {
		rows, err := l.pool.Query(ctx, `
			SELECT DISTINCT ON (x.key) x.key, x.version_id, x.sha256
			FROM (
				SELECT i.key, i.version_id, i.sha256 FROM archive.images AS i WHERE i.run_id = $1 AND i.state = 'stored'
				UNION ALL
				SELECT r.key, r.version_id, r.sha256 FROM archive.records AS r WHERE r.run_id = $1
			) AS x
			ORDER BY x.key, x.version_id`, runID)
		var object store.RunObject
		if err == nil {
			defer rows.Close()
			for rows.Next() {
				if err = rows.Scan(&object.Key, &object.VersionID, &object.SHA256); err != nil {
					break
				}
				if !yield(object, nil) {
					return
				}
			}
			if err == nil {
				err = rows.Err()
			}
		}
		if err != nil {
			yield(store.RunObject{}, l.failed(fmt.Sprintf("read objects of run %q", runID), err))
		}
	}
}
