package store

// Kind names one of the images of a verification.
type Kind string

// The kinds, named after what they show.
const (
	IDFront  Kind = "id_front"
	IDBack   Kind = "id_back"
	Liveness Kind = "liveness"
	Face1    Kind = "face_1"
	Face2    Kind = "face_2"
	Face3    Kind = "face_3"

	// KindCount is the number of constants above. Whatever must name every kind
	// states its own number beside it, as the last line of this file does, and does
	// not compile until they are equal.
	KindCount = iota
)

// Kinds holds all kinds in the one order used everywhere. It is the order of
// the vendor's listing: idFrontImage, idBackImage, livenessImage,
// livenessFace01Image to livenessFace03Image (docs.vlenseg.com, "Get User
// Digital Identity Images").
var Kinds = [...]Kind{IDFront, IDBack, Liveness, Face1, Face2, Face3}

var _ = [1]struct{}{}[KindCount-len(Kinds)] // a kind is missing in Kinds
