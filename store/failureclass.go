package store

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
	// Transient failures are tried again by themselves; permanent ones wait for
	// a change of the user's row or for a backfill of failed users.
	Transient bool
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
	{ClassNoIdentifier, false, "", "the row has no usable phone or email", "correct the user's row; it is tried again when it changes"},
	{ClassUnauthorized, true, ImageFailed, "Vlens refused the credentials", "check the API key, tenancy name, user name and password"},
	{ClassForbidden, true, ImageFailed, "Vlens refused permission for this item", "ask the tenant's administrator for the \"Requests\" permission"},
	{ClassThrottled, true, ImageFailed, "Vlens kept answering that the quota is used up", "lower vlens.quota, or ask Vlens for a larger one"},
	{ClassNoTransaction, false, "", "no transaction id is known and Vlens needs one", "add transaction_id to source.users_sql"},
	{ClassSharedTransaction, false, "", "the transaction is already archived under another user", "find out whose number or email it is; two users share it"},
	{ClassVendorError, true, ImageFailed, "Vlens answered with an error of its own", "look up the code with Vlens support; list it under vlens.codes"},
	{ClassTimeout, true, ImageFailed, "Vlens did not answer in time", "nothing, unless it lasts"},
	{ClassNetwork, true, ImageFailed, "the connection to Vlens failed", "check DNS, egress rules and the network policy"},
	{ClassBadPayload, true, ImageFailed, "the answer of Vlens could not be read", "nothing, unless it lasts; then report it to Vlens"},
	{ClassNotAnImage, false, ImageRejected, "what Vlens sent is not an image", "report it to Vlens with the transaction"},
	{ClassTooLarge, false, ImageRejected, "the image is larger than vlens.max_image_bytes", "raise vlens.max_image_bytes, then backfill --failed=too_large"},
	{ClassGone, false, ImageGone, "the image is listed but no longer exists at Vlens", "nothing can bring it back; keep the record as evidence"},
	{ClassStorageDenied, true, ImageFailed, "the bucket refused access", "check the credentials and the bucket policy"},
	{ClassStorageError, true, ImageFailed, "the bucket could not store the object", "check the S3 service"},
	{ClassConflict, false, ImageFailed, "other bytes stand under a key of this archive", "compare the versions of the object; an image flagged conflict is kept beside the first"},
	{ClassInternal, true, ImageFailed, "a fault in this program", "report it with the log of the run"},
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

// Transient reports whether the failure may pass by itself.
func (c Class) Transient() bool { return classByName[c].Transient }
