package vlenstest

// Kind names one of the images of a verification.
type Kind string

// The kinds.
const (
	IDFront  Kind = "id_front"
	IDBack   Kind = "id_back"
	Liveness Kind = "liveness"
	Face1    Kind = "face_1"
	Face2    Kind = "face_2"
	Face3    Kind = "face_3"

	// KindCount is the number of kinds.
	KindCount = iota
)

// Kinds holds all kinds in the order of the vendor's listing.
var Kinds = [...]Kind{IDFront, IDBack, Liveness, Face1, Face2, Face3}

// listingFields are the keys of the listing's data object, in the order of
// Kinds (docs.vlenseg.com, "Get User Digital Identity Images").
var listingFields = [...]string{
	"idFrontImage", "idBackImage", "livenessImage",
	"livenessFace01Image", "livenessFace02Image", "livenessFace03Image",
}

// fileLabels are the middle parts of the file names, in the order of Kinds;
// the vendor's sample is user123_id_front_20240601.jpg.
var fileLabels = [...]string{
	"id_front", "id_back", "liveness", "liveness_face_01", "liveness_face_02", "liveness_face_03",
}

// A kind is missing in one of the lists.
var (
	_ = [1]struct{}{}[KindCount-len(Kinds)]
	_ = [1]struct{}{}[KindCount-len(listingFields)]
	_ = [1]struct{}{}[KindCount-len(fileLabels)]
)
