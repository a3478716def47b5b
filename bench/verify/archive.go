package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

const (
	width, height = 1200, 800 // pixels: a phone's picture of an ID card
	runID         = "bench"
)

// photograph is a JPEG with the grain of a photograph, some 330 KiB.
func photograph() ([]byte, error) {
	grain := rand.New(rand.NewPCG(1, 2))
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			n := grain.IntN(40)
			picture.SetRGBA(x, y, color.RGBA{uint8(x/6 + n), uint8(y/5 + n), uint8((x+y)/10 + n), 255})
		}
	}
	var body bytes.Buffer
	err := jpeg.Encode(&body, picture, &jpeg.Options{Quality: 85})
	return body.Bytes(), err
}

// numbered is the photograph with a number in a comment, so that no two images
// are alike.
func (s *services) numbered(n int) []byte {
	body := append([]byte{}, s.photo[:2]...)
	body = append(body, 0xff, 0xfe, 0, 10)
	body = binary.BigEndian.AppendUint64(body, uint64(n))
	return append(body, s.photo[2:]...)
}

// writeIdentity says in the bucket and in the ledger which archive it is.
func (s *services) writeIdentity(ctx context.Context) error {
	key, err := store.ParseSubjectKey(subjectKey)
	if err != nil {
		return err
	}
	identity := store.ArchiveIdentity{LayoutVersion: store.LayoutVersion, Origin: "bench.example/vlens-archive", TenancyName: "bench", KeyCheck: key.Check()}
	body, err := manifest.EncodeArchive(identity)
	if err != nil {
		return err
	}
	if _, err := s.put(ctx, s.layout.Archive(), "application/json", body, nil); err != nil {
		return err
	}
	return s.withLedger(ctx, func(db *pgx.Conn) error {
		_, err := db.Exec(ctx, `INSERT INTO archive.archive (layout_version, origin, tenancy_name, key_check, place) VALUES ($1, $2, $3, $4, $5)`,
			identity.LayoutVersion, identity.Origin, identity.TenancyName, identity.KeyCheck, bucketName+"/"+s.layout.Prefix)
		if err == nil {
			_, err = db.Exec(ctx, `INSERT INTO archive.runs (run_id, kind) VALUES ($1, 'manual')`, runID)
		}
		return err
	})
}

// rows are what users leave in the ledger.
type rows struct {
	mu                        sync.Mutex
	images, records, subjects [][]any
}

// grow adds users with six images each until there are that many bytes.
func (s *services) grow(ctx context.Context, size int64) error {
	key, err := store.ParseSubjectKey(subjectKey)
	if err != nil {
		return err
	}
	var r rows
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for s.bytes < size {
		first := s.images
		s.images += store.KindCount
		s.bytes += int64(store.KindCount * len(s.numbered(0)))
		group.Go(func() error { return s.addUser(ctx, key.Subject(fmt.Sprint(first)), first, &r) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return s.withLedger(ctx, func(db *pgx.Conn) error {
		for _, table := range []struct {
			name    string
			columns []string
			rows    [][]any
		}{
			{"images", []string{"subject", "transaction_id", "kind", "ref", "state", "key", "version_id", "etag", "bytes", "media_type", "width", "height", "sha256", "run_id", "fetched_at"}, r.images},
			{"records", []string{"key", "subject", "transaction_id", "sequence", "version_id", "sha256", "run_id", "archived_at"}, r.records},
			{"subjects", []string{"subject", "user_id", "state", "due_reason"}, r.subjects},
		} {
			if _, err := db.CopyFrom(context.WithoutCancel(ctx), pgx.Identifier{"archive", table.name}, table.columns, pgx.CopyFromRows(table.rows)); err != nil {
				return fmt.Errorf("fill the ledger: %w", err)
			}
		}
		return nil
	})
}

func (s *services) addUser(ctx context.Context, subject store.Subject, first int, r *rows) error {
	transaction := fmt.Sprintf("00000000-0000-4000-8000-%012x", first)
	now := manifest.Time(time.Now())
	record := manifest.Record{
		Schema: manifest.RecordSchema, Nonce: manifest.NewNonce(), Subject: subject, TransactionID: &transaction, Sequence: 1, RunID: runID, ArchivedAt: now,
		Source: manifest.Source{BaseURL: "https://bench.example", Identifier: "phone"}, Storage: manifest.NewStorage(s.bucket.Location(), now),
	}
	for n, kind := range store.Kinds {
		body := s.numbered(first + n)
		sum := sha256.Sum256(body)
		i := store.Image{
			Kind: kind, State: store.ImageStored, Ref: store.Ref(fmt.Sprintf("%032x", first+n)), Bytes: int64(len(body)), MediaType: "image/jpeg",
			Width: width, Height: height, SHA256: hex.EncodeToString(sum[:]), FetchedAt: now,
		}
		i.Key = s.layout.Image(subject, transaction, kind, i.SHA256, "jpg")
		object, err := s.put(ctx, i.Key, i.MediaType, body, map[string]string{"sha256": i.SHA256})
		if err != nil {
			return err
		}
		i.VersionID, i.ETag = object.VersionID, object.ETag
		record.Images = append(record.Images, manifest.NewImage(i))
		r.mu.Lock()
		r.images = append(r.images, []any{subject, transaction, kind, i.Ref, i.State, i.Key, i.VersionID, i.ETag, i.Bytes, i.MediaType, i.Width, i.Height, i.SHA256, runID, now})
		r.mu.Unlock()
	}
	body, err := record.Encode()
	if err != nil {
		return err
	}
	key := s.layout.Record(subject, transaction, 1)
	object, err := s.put(ctx, key, "application/json", body, nil)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, []any{key, subject, transaction, 1, object.VersionID, object.SHA256, runID, now})
	r.subjects = append(r.subjects, []any{subject, fmt.Sprint(first), store.StateArchived, store.DueRecheck})
	return nil
}

func (s *services) put(ctx context.Context, key, contentType string, body []byte, metadata map[string]string) (store.Object, error) {
	object, _, err := s.bucket.Put(ctx, store.PutRequest{
		Key: key, Body: bytes.NewReader(body), Size: int64(len(body)), ContentType: contentType, SHA256: sha256.Sum256(body), Metadata: metadata,
	})
	return object, err
}

func (s *services) withLedger(ctx context.Context, do func(*pgx.Conn) error) error {
	db, err := pgx.Connect(context.WithoutCancel(ctx), s.ledgerURL())
	if err != nil {
		return fmt.Errorf("connect to the ledger: %w", err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	return do(db)
}
