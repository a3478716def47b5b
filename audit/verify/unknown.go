package verify

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Names of the metadata of an image object.
const (
	metaSHA256    = "sha256"
	metaRef       = "ref"
	metaFetchedAt = "fetched-at"
)

var refForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// unknown looks at objects that neither ledger nor records explain: an attempt
// is at work on them, or one that died has left them, or they are foreign.
func (i *inspection) unknown(ctx context.Context) error {
	explained := make(map[string]bool)
	for _, row := range i.rows.Images {
		explained[row.Key] = true
	}
	for _, row := range i.rows.Records {
		explained[row.Key] = true
	}
	for _, cited := range i.rows.Cited {
		explained[cited.Key] = true
	}
	for stated := range i.statements {
		explained[stated.key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(i.objects)) {
		version, there := i.objects[key].Latest()
		switch {
		case explained[key] || !there:
		case i.rows.Live:
			i.underWay++
		default:
			if err := i.judgeUnknown(ctx, key, version); err != nil {
				return err
			}
		}
	}
	return nil
}

func (i *inspection) judgeUnknown(ctx context.Context, key string, version store.Object) error {
	parts, _ := i.Layout.ParseSubjectObject(key)
	var why string
	var err error
	if parts.Sequence > 0 {
		why, err = i.foreignRecord(ctx, key, version, parts)
	} else {
		why, err = i.foreignImage(ctx, key, version, parts)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil // gone since it was listed
	case err != nil:
		return err
	case why != "":
		i.finding(Unexpected, key, "neither ledger nor records explain it: %s", why)
	case i.superseded(parts):
		// A later record of the transaction is in the ledger, or the user has
		// verified again since: see "known limits" in docs/crash-safety.md.
		i.finding(Leftover, key, "an attempt that died has left it")
	case !i.rows.Unsettled:
		i.finding(Unexpected, key, "it looks like the work of an attempt, and the ledger has none that could have left it")
	default:
		i.finding(Leftover, key, "an attempt that died has left it; the next one takes it over")
	}
	return nil
}

// superseded reports whether the subject has been archived since the object was
// left: under a later transaction, or by a record with a higher number.
func (i *inspection) superseded(parts manifest.SubjectObject) bool {
	there := false
	for _, row := range i.rows.Records {
		if row.Transaction != parts.Transaction {
			continue
		}
		there = true
		if parts.Sequence > 0 && row.Sequence > parts.Sequence {
			return true
		}
	}
	return !there && len(i.rows.Records) > 0
}

// foreignImage says why an image cannot be one that the program has put; "" when
// it can.
func (i *inspection) foreignImage(ctx context.Context, key string, version store.Object, parts manifest.SubjectObject) (string, error) {
	o, err := i.Bucket.Head(ctx, key, version.VersionID)
	if err != nil {
		return "", err
	}
	hash := o.Metadata[metaSHA256]
	_, timeErr := time.Parse(time.RFC3339Nano, o.Metadata[metaFetchedAt])
	switch {
	case len(hash) != 64 || !refForm.MatchString(o.Metadata[metaRef]) || timeErr != nil:
		return "its metadata are not those of an image", nil
	case !strings.HasPrefix(hash, parts.HashPrefix):
		return "its metadata state another hash than its key", nil
	case o.SHA256 != "" && o.SHA256 != hash:
		return "its metadata state another hash than the service holds", nil
	case !store.HasExtension(o.ContentType, parts.Extension):
		return "its content type is not that of its key", nil
	}
	return "", nil
}

// foreignRecord says why a record cannot be one that the program has put; ""
// when it can.
func (i *inspection) foreignRecord(ctx context.Context, key string, version store.Object, parts manifest.SubjectObject) (string, error) {
	body, err := i.read(ctx, key, version.VersionID)
	if err != nil {
		return "", err
	}
	record, err := manifest.DecodeRecord(body)
	if err == nil {
		err = audit.InPlace(record, parts)
	}
	if err != nil {
		return err.Error(), nil
	}
	return "", nil
}
