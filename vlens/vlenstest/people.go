package vlenstest

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Person is one synthetic customer of the tenant, as the vendor knows them.
type Person struct {
	ID         string // the company's user id, "u-000123"
	Name       string // romanised, made up
	Woman      bool
	BirthDate  time.Time // a UTC date
	NationalID string    // 14 digits starting with 9, which no Egyptian number does
	Email      string    // lower-case, in a domain reserved by RFC 2606
	Phone      string    // E.164, +2010, +2011, +2012 or +2015 and eight digits

	Verification  int       // 1 for the first, one more each time the person verified again
	TransactionID string    // lower-case UUID of that verification
	VerifiedAt    time.Time // UTC, whole seconds

	index int // 1 for the first person of the tenant
}

// population makes people from a seed. It keeps nothing: each answer is
// computed, and phone numbers, emails and transaction ids lead back to their
// person by arithmetic, so a million people cost no memory.
type population struct {
	seed uint64
	size int
}

// MaxPeople is the largest number of people one tenant can have.
const MaxPeople = 10_000_000

// People yields the first n people of the seed, each at their first
// verification.
func People(seed uint64, n int) iter.Seq[Person] {
	everyone := population{seed: seed, size: n}
	return func(yield func(Person) bool) {
		for i := range n {
			if !yield(everyone.person(i+1, 1)) {
				return
			}
		}
	}
}

var (
	emailDomains = []string{"example.com", "example.net", "example.org"}
	// firstVerification is where the verification dates begin; they fill two
	// years and a half, so that a first backfill meets old and new customers.
	firstVerification  = time.Date(2023, time.January, 2, 6, 0, 0, 0, time.UTC)
	verificationSpan   = 900 * 24 * time.Hour
	verificationPeriod = 97 * 24 * time.Hour // from one verification of a person to the next
)

func (p population) person(index, verification int) Person {
	random := p.random(index, "person")
	person := Person{
		ID:            userID(index),
		Woman:         random.IntN(2) == 0,
		Phone:         p.phone(index),
		Verification:  verification,
		TransactionID: p.transactionID(index, verification),
		index:         index,
	}
	first := mensNames[random.IntN(len(mensNames))]
	if person.Woman {
		first = womensNames[random.IntN(len(womensNames))]
	}
	father := mensNames[random.IntN(len(mensNames))]
	family := familyNames[random.IntN(len(familyNames))]
	person.Name = first + " " + father + " " + family
	person.Email = fmt.Sprintf("%s.%s.%06d@%s", strings.ToLower(first), strings.ToLower(family), index,
		emailDomains[random.IntN(len(emailDomains))])
	person.BirthDate = time.Date(1950+random.IntN(56), time.Month(1+random.IntN(12)), 1+random.IntN(28), 0, 0, 0, 0, time.UTC)
	person.NationalID = fmt.Sprintf("9%s%07d", person.BirthDate.Format("060102"), random.IntN(10_000_000))
	person.VerifiedAt = firstVerification.
		Add(time.Duration(random.Int64N(int64(verificationSpan/time.Second))) * time.Second).
		Add(time.Duration(verification-1) * verificationPeriod)
	return person
}

// FileName is the name the vendor gives the image of a kind.
func (p Person) FileName(kind Kind) string {
	return p.fileName(kindIndex(kind), "jpg")
}

func (p Person) fileName(kind int, extension string) string {
	return fmt.Sprintf("user%06d_%s_%s.%s", p.index, fileLabels[kind], p.VerifiedAt.Format("20060102"), extension)
}

func userID(index int) string { return fmt.Sprintf("u-%06d", index) }

// indexOfID is the index of the person with a user id, 0 for none.
func (p population) indexOfID(id string) int {
	digits, found := strings.CutPrefix(id, "u-")
	index, err := strconv.Atoi(digits)
	if !found || err != nil || index < 1 || index > p.size || userID(index) != id {
		return 0
	}
	return index
}

// indexOfEmail is the index of the person with exactly this email, 0 for none.
func (p population) indexOfEmail(email string) int {
	local, _, _ := strings.Cut(email, "@")
	index, err := strconv.Atoi(local[strings.LastIndex(local, ".")+1:])
	if err != nil || index < 1 || index > p.size || p.person(index, 1).Email != email {
		return 0
	}
	return index
}

// indexOfFile is the index of the person whose images are named like this,
// 0 for none.
func (p population) indexOfFile(name string) int {
	digits, found := strings.CutPrefix(name, "user")
	digits, _, _ = strings.Cut(digits, "_")
	index, err := strconv.Atoi(digits)
	if !found || err != nil || index < 1 || index > p.size {
		return 0
	}
	return index
}

// random is the stream of chance for one person and one purpose; it is the
// same each time.
func (p population) random(index int, purpose string) *rand.Rand {
	return rand.New(rand.NewPCG(p.seed, p.hash(purpose, uint64(index))))
}

func kindIndex(kind Kind) int {
	for i, k := range Kinds {
		if k == kind {
			return i
		}
	}
	return -1
}
