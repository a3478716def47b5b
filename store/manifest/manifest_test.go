package manifest_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

const (
	subject     = store.Subject("yso4af4xrirodasel3bj7ven7a")
	transaction = "0b8f2f0e-52c3-4f7e-9d57-0a4be2cf9a10"
	hash        = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	started := time.Date(2026, 1, 2, 1, 30, 0, 0, time.FixedZone("Cairo", 2*3600))
	for _, c := range []struct{ prefix, want string }{
		{"vlens", "vlens/"}, {"a/b", "a/b/"}, {"", ""},
	} {
		l := manifest.Layout{Prefix: c.prefix}
		folder := "subjects/ys/yso4af4xrirodasel3bj7ven7a/" + transaction + "/"
		for _, k := range []struct{ got, want string }{
			{l.Archive(), "archive.json"},
			{l.Subjects(), "subjects/"},
			{l.Transaction(subject, transaction), folder},
			{l.Image(subject, transaction, store.Face1, hash, "jpg"), folder + "face_1.9f86d081884c7d65.jpg"},
			{l.Record(subject, transaction, 1), folder + "record.0001.json"},
			{l.Record(subject, transaction, 12345), folder + "record.12345.json"},
			{l.Run(started, "nightly-1"), "runs/2026/01/01/nightly-1/"},
		} {
			if k.got != c.want+k.want {
				t.Errorf("prefix %q: %q, want %q", c.prefix, k.got, c.want+k.want)
			}
			if l.Relative(k.got) != k.want {
				t.Errorf("prefix %q: %q is relative to it, want %q", c.prefix, l.Relative(k.got), k.want)
			}
		}
	}
}

func TestParseSubjectObjectReadsWhatTheLayoutMakes(t *testing.T) {
	t.Parallel()
	l := manifest.Layout{Prefix: "vlens"}
	for _, folder := range []string{transaction, "t-0123456789abcdef"} {
		for _, kind := range store.Kinds {
			for _, extension := range store.Extensions() {
				got, ok := l.ParseSubjectObject(l.Image(subject, folder, kind, hash, extension))
				want := manifest.SubjectObject{Subject: subject, Transaction: folder, Kind: kind, HashPrefix: hash[:16], Extension: extension}
				if !ok || got != want {
					t.Errorf("%s of %s in %s: %+v", kind, extension, folder, got)
				}
			}
		}
		got, ok := l.ParseSubjectObject(l.Record(subject, folder, 7))
		if want := (manifest.SubjectObject{Subject: subject, Transaction: folder, Sequence: 7}); !ok || got != want {
			t.Errorf("record in %s: %+v", folder, got)
		}
	}
	for _, foreign := range []string{
		"vlens/archive.json",
		"vlens/subjects/ab/yso4af4xrirodasel3bj7ven7a/" + transaction + "/record.0001.json", // another shard
		l.Transaction(subject, transaction) + "photo.jpg",
		l.Transaction(subject, transaction) + "id_front.9f86d081884c7d65.svg",
		l.Transaction(subject, "not-a-transaction") + "record.0001.json",
		l.Transaction(subject, transaction) + "deeper/record.0001.json",
	} {
		if got, ok := l.ParseSubjectObject(foreign); ok {
			t.Errorf("%q is read as %+v", foreign, got)
		}
	}
}

func record() manifest.Record {
	images := []manifest.Image{
		manifest.NewImage(store.Image{
			Kind: store.IDFront, State: store.ImageStored, Ref: "79e1c3d0db333b892246d6bb07560320", Key: "k", VersionID: "v",
			Bytes: 4, MediaType: "image/jpeg", Width: 2, Height: 1, SHA256: hash,
			Flags: []store.Flag{store.FlagTruncated}, FetchedAt: time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC),
		}),
		manifest.NewImage(store.Image{Kind: store.IDBack, State: store.ImageGone, Class: store.ClassGone, Ref: "aa"}),
	}
	for _, kind := range store.Kinds[2:] {
		images = append(images, manifest.NewImage(store.Image{Kind: kind, State: store.ImageAbsent}))
	}
	return manifest.Record{
		Schema: manifest.RecordSchema, Nonce: manifest.NewNonce(), Subject: subject,
		TransactionID: manifest.TransactionID(transaction), Sequence: 1, RunID: "r", ArchivedAt: manifest.Time(time.Now()), Images: images,
	}
}

func TestRecordReadsBack(t *testing.T) {
	t.Parallel()
	want := record()
	body, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := manifest.DecodeRecord(body)
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, body) {
		t.Errorf("read and written again it is\n%s, was\n%s", again, body)
	}
	if !got.SameImages(want.Images) {
		t.Error("it does not state the same images as itself")
	}
}

func TestRecordStatesEveryFieldOfEveryImage(t *testing.T) {
	t.Parallel()
	body, err := record().Encode()
	if err != nil {
		t.Fatal(err)
	}
	var generic struct{ Images []map[string]any }
	if err := json.Unmarshal(body, &generic); err != nil {
		t.Fatal(err)
	}
	for _, image := range generic.Images {
		for _, field := range strings.Fields("kind state class ref key version_id bytes media_type width height sha256 fetched_at flags") {
			if _, there := image[field]; !there {
				t.Errorf("%v does not state %s", image["kind"], field)
			}
		}
		if image["state"] == "absent" && (image["key"] != nil || image["bytes"] != nil || image["fetched_at"] != nil) {
			t.Errorf("an absent image states %v", image)
		}
	}
}

func TestSameImagesSeesEachDifference(t *testing.T) {
	t.Parallel()
	other, failed, ref := strings.Repeat("0", 64), store.ImageFailed, store.Ref("bb")
	for what, change := range map[string]func([]manifest.Image){
		"hash":  func(i []manifest.Image) { i[0].SHA256 = &other },
		"state": func(i []manifest.Image) { i[1].State = failed },
		"ref":   func(i []manifest.Image) { i[1].Ref = &ref },
		"kind":  func(i []manifest.Image) { i[1].Kind = store.IDFront },
	} {
		r := record()
		changed := append([]manifest.Image{}, r.Images...)
		change(changed)
		if r.SameImages(changed) {
			t.Errorf("another %s is not seen", what)
		}
	}
	r := record()
	if r.SameImages(r.Images[1:]) {
		t.Error("a missing image is not seen")
	}
}

func TestDecodeRecordRefuses(t *testing.T) {
	t.Parallel()
	good, err := record().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"nothing":        "",
		"cut":            string(good[:len(good)/2]),
		"a second one":   string(good) + string(good),
		"another schema": strings.Replace(string(good), "record/v1", "record/v2", 1),
		"a missing kind": strings.Replace(string(good), `"face_3"`, `"face_2"`, 1),
		"a short nonce":  strings.Replace(string(good), `"nonce": "`, `"nonce": "AAAA", "_": "`, 1),
	} {
		if _, err := manifest.DecodeRecord([]byte(body)); err == nil {
			t.Errorf("%s is taken for a record", name)
		}
	}
}

func TestArchiveReadsBack(t *testing.T) {
	t.Parallel()
	want := store.ArchiveIdentity{LayoutVersion: 1, Origin: "acme.example/vlens-archive", TenancyName: "acme", KeyCheck: hash}
	body, err := manifest.EncodeArchive(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := manifest.DecodeArchive(body); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSummaryNamesEveryStateAndOutcome(t *testing.T) {
	t.Parallel()
	totals := store.RunTotals{
		Run:   store.Run{ID: "r", Kind: store.RunManual},
		Users: map[store.State]int64{store.StateArchived: 3}, UsersTotal: 3, UsersLeft: 1,
	}
	summary := manifest.NewSummary(totals, store.RunClosed, time.Now(), manifest.Tool{})
	for _, state := range store.States {
		if _, there := summary.Users[string(state)]; !there {
			t.Errorf("state %s is missing", state)
		}
	}
	for _, outcome := range store.Outcomes {
		if _, there := summary.Outcomes[outcome]; !there {
			t.Errorf("outcome %s is missing", outcome)
		}
	}
	if summary.Users["left"] != 1 || summary.Users["total"] != 3 || summary.OldestPendingAt != nil {
		t.Errorf("%+v", summary)
	}
}

func TestObjectKeysAreURLEncoded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table := csv.NewWriter(&out)
	for _, err := range []error{
		manifest.WriteObject(table, "b", "a prefix/x+y.jpg", "v1"),
		manifest.WriteObject(table, "b", "plain", ""),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	table.Flush()
	if want := "b,a%20prefix/x%2By.jpg,v1\nb,plain\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
