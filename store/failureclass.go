package store

import "slices"

// Class says why a user or an image failed. It is the only form in which a
// failure is kept: never free text from the vendor.
type Class string

// The failure classes.
const (
	ClassNone              Class = ""
	ClassNoIdentifier      Class = "no_identifier"
	ClassUnauthorized      Class = "unauthorized"
	ClassForbidden         Class = "forbidden"
	ClassThrottled         Class = "throttled"
	ClassNoTransaction     Class = "no_transaction"
	ClassSharedTransaction Class = "shared_transaction"
	ClassVendorError       Class = "vendor_error"
	ClassTimeout           Class = "timeout"
	ClassNetwork           Class = "network"
	ClassBadPayload        Class = "bad_payload"
	ClassNotAnImage        Class = "not_an_image"
	ClassTooLarge          Class = "too_large"
	ClassGone              Class = "gone"
	ClassStorageDenied     Class = "storage_denied"
	ClassStorageError      Class = "storage_error"
	ClassConflict          Class = "conflict"
	ClassInternal          Class = "internal"

	// ClassCount is the number of constants above, without ClassNone. It is used
	// like KindCount.
	ClassCount = iota - 1
)

// ClassInfo is what the table says of one class.
type ClassInfo struct {
	Class Class
	// Settled failures are not mended by trying again soon: they are looked at
	// again slowly. All others may pass by themselves.
	Settled bool
	// Image is the state of an image that failed with the class; "" when only
	// users do.
	Image ImageState
	// Meaning and Remedy are for people: what happened, and what to do next.
	Meaning string
	Remedy  string
}

// Classes is the table of all failure classes, in the order in which reports
// show them.
var Classes = [...]ClassInfo{
	{ClassNoIdentifier, true, "", "the row has no usable phone or email", "correct the user's row"},
	{ClassUnauthorized, false, ImageFailed, "Vlens refused the credentials", "check the API key, tenancy name, user name and password"},
	{ClassForbidden, false, ImageFailed, "Vlens refused permission for this item", "ask the tenant's administrator for the \"Requests\" permission"},
	{ClassThrottled, false, ImageFailed, "Vlens kept answering that the quota is used up", "lower vlens.quota, or ask Vlens for a larger one"},
	{ClassNoTransaction, true, "", "no transaction id is known and Vlens needs one", "add transaction_id to source.users_sql, or fill it in for this user"},
	{ClassSharedTransaction, true, "", "the transaction is already archived under another user", "find out whose number or email it is; two users share it"},
	{ClassVendorError, false, ImageFailed, "Vlens answered with an error of its own", "look up the code, which is in the log line user_done, with Vlens support; list it under vlens.codes"},
	{ClassTimeout, false, ImageFailed, "Vlens did not answer in time", "nothing, unless it lasts"},
	{ClassNetwork, false, ImageFailed, "the connection to Vlens failed", "check DNS, egress rules and the network policy"},
	{ClassBadPayload, false, ImageFailed, "the answer of Vlens could not be read", "nothing, unless it lasts; then report it to Vlens"},
	{ClassNotAnImage, true, ImageRejected, "what Vlens sent is not an image", "report it to Vlens with the transaction"},
	{ClassTooLarge, true, ImageRejected, "the image is larger than vlens.max_image_bytes", "raise vlens.max_image_bytes, then backfill --failed=too_large"},
	{ClassGone, true, ImageGone, "the image is listed but no longer exists at Vlens", "nothing can bring it back; keep the record as evidence"},
	{ClassStorageDenied, false, ImageFailed, "the bucket refused access", "check the credentials and the bucket policy"},
	{ClassStorageError, false, ImageFailed, "the bucket could not store the object", "check the S3 service"},
	{ClassConflict, true, ImageFailed, "other bytes stand under a key of this archive", "compare the versions of the object; an image flagged conflict is kept beside the first"},
	{ClassInternal, false, ImageFailed, "a fault in this program", "report it with the log of the run"},
}

var _ = [1]struct{}{}[ClassCount-len(Classes)] // a class has no row

var classByName = func() map[Class]ClassInfo {
	m := make(map[Class]ClassInfo, ClassCount)
	for _, info := range Classes {
		m[info.Class] = info
	}
	return m
}()

// Info returns the row of the class, and whether there is one.
func (c Class) Info() (ClassInfo, bool) {
	info, ok := classByName[c]
	return info, ok
}

// Settled reports whether trying again soon cannot mend the failure.
func (c Class) Settled() bool { return classByName[c].Settled }

// remaining is the settled classes of images, in the order in which one stands for
// several: first what somebody can mend, last what nobody can.
var remaining = [...]Class{ClassTooLarge, ClassNotAnImage, ClassConflict, ClassGone}

// StandsFor compares two classes of images for the one that stands for both, whichever
// was met first: those that pass, in the order of the table, and then the settled.
func (c Class) StandsFor(other Class) int { return c.place() - other.place() }

func (c Class) place() int {
	if n := slices.Index(remaining[:], c); n >= 0 {
		return len(Classes) + n
	}
	return slices.IndexFunc(Classes[:], func(info ClassInfo) bool { return info.Class == c })
}
