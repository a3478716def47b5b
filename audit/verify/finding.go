package verify

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Sort names what is wrong with an object. The names are stable: machines read
// them.
type Sort string

// The sorts of findings.
const (
	Missing       Sort = "missing"
	Changed       Sort = "changed"
	Truncated     Sort = "truncated"
	Unexpected    Sort = "unexpected"
	Hidden        Sort = "hidden"
	LedgerMissing Sort = "ledger_missing"
	LedgerDiffers Sort = "ledger_differs"
	LogMissing    Sort = "log_missing"
	LogChanged    Sort = "log_changed"
	LogReordered  Sort = "log_reordered"
	Unsigned      Sort = "unsigned"
	RolledBack    Sort = "rolled_back"
	LockShort     Sort = "lock_short"

	Restored           Sort = "restored"
	Leftover           Sort = "leftover"
	Unsealed           Sort = "unsealed"
	NoLog              Sort = "no_log"
	SignatureUnchecked Sort = "signature_unchecked"
	Undecodable        Sort = "undecodable"
	Cold               Sort = "cold"
	NotRecorded        Sort = "not_recorded"
)

// SortInfo is what the table says of one sort.
type SortInfo struct {
	Sort Sort
	// Damage makes the verification fail; all others are warnings.
	Damage bool
	// Meaning and Remedy are for people.
	Meaning string
	Remedy  string
}

// Sorts is the table of all sorts, in the order in which reports show them.
var Sorts = []SortInfo{
	{Missing, true, "the object, or the version of it that was recorded, is gone", "restore it from a replica or backup under the same key; find out in the bucket's access log who removed it"},
	{Changed, true, "the bytes are not those that were recorded", "restore the recorded version (the detail or the ledger names it); find out who wrote the other bytes"},
	{Truncated, true, "the object is shorter than what was recorded", "restore the recorded version"},
	{Unexpected, true, "nothing in the ledger or the records explains the object", "find out who wrote it; evidence never needs it"},
	{Hidden, true, "a delete marker or a newer version covers the evidence, which is still there", "remove the marker or the newer version; refuse s3:DeleteObject and uploads without If-None-Match in the bucket policy"},
	{LedgerMissing, true, "the bucket or the log has it, the ledger does not", "somebody removed rows from the ledger: restore it from a backup, or rebuild it from the bucket"},
	{LedgerDiffers, true, "rows of the ledger disagree with the evidence or with each other", "somebody edited the ledger: restore it from a backup, or rebuild it from the bucket"},
	{LogMissing, true, "an entry, tile or bundle of the log is missing", "restore the object; entries are also in archive.log_entries"},
	{LogChanged, true, "an entry or tile of the log is another one", "restore the object; the signed checkpoint says which is right"},
	{LogReordered, true, "entries of the log stand in another order", "restore the object; the signed checkpoint says which order is right"},
	{Unsigned, true, "the checkpoint carries no valid signature of this log's key", "check evidence.origin and the key; else treat the log as forged from there on"},
	{RolledBack, true, "the checkpoint is older than one already published, or not of the same history", "restore the newest checkpoint; find out who put the old one"},
	{LockShort, true, "the object lock is weaker or shorter than archive.object_lock asks for", "extend the retention (S3 Batch Operations with the run's objects.csv)"},
	{Restored, false, "the version that was recorded is gone, and the same bytes stand under its key", "nothing, if you put them back; else find out in the bucket's access log who removed the version"},
	{Leftover, false, "what an attempt that died has left; the next attempt adopts it", "nothing: run again"},
	{Unsealed, false, "not in the signed log yet", "nothing: the next seal appends it; without evidence.signing_key none does"},
	{NoLog, false, "there is no signed log: nothing proves when it was archived", "set evidence.signing_key (vlens-archiver keygen); what is waiting is then sealed"},
	{SignatureUnchecked, false, "no key is known, so signatures were not checked", "give --verifier-key, or configure evidence.signing_key"},
	{Undecodable, false, "unchanged since it was archived, but it does not open as an image", "the vendor sent it so; ask for the image again"},
	{Cold, false, "it lies in an archive storage class such as Glacier, so its bytes were not read", "restore it first (aws s3api restore-object), then verify again, if its bytes are to be read"},
	{NotRecorded, false, "this verification could not be recorded", "allow s3:PutObject on audit/ and INSERT on archive.verifications, or keep this output"},
}

// Info is the row of the table.
func (s Sort) Info() SortInfo {
	return Sorts[slices.IndexFunc(Sorts, func(info SortInfo) bool { return info.Sort == s })]
}

// Finding is one thing that is not as it should be. Key is an object's key; it
// never holds anything personal.
type Finding struct {
	Sort   Sort   `json:"sort"`
	Key    string `json:"key"`
	Detail string `json:"detail"`
}

// shownFindings of a sort are kept; of the others only the number is.
const shownFindings = 1000

// findings collects. Its methods may be called from any goroutine.
type findings struct {
	damaged *atomic.Int64 // counts those that are damage

	mu     sync.Mutex
	shown  map[Sort][]Finding
	totals map[Sort]int64
}

func newFindings(damaged *atomic.Int64) *findings {
	return &findings{damaged: damaged, shown: make(map[Sort][]Finding), totals: make(map[Sort]int64)}
}

func (f *findings) add(found ...Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, finding := range found {
		f.totals[finding.Sort]++
		if finding.Sort.Info().Damage {
			f.damaged.Add(1)
		}
		if len(f.shown[finding.Sort]) < shownFindings {
			f.shown[finding.Sort] = append(f.shown[finding.Sort], finding)
		}
	}
}

// sorted are the findings that are shown, in the order of the table and of keys,
// and the number of all of each sort.
func (f *findings) sorted() ([]Finding, map[Sort]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := []Finding{}
	for _, info := range Sorts {
		all = append(all, slices.SortedFunc(slices.Values(f.shown[info.Sort]), func(a, b Finding) int {
			return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Detail, b.Detail))
		})...)
	}
	return all, maps.Clone(f.totals)
}
