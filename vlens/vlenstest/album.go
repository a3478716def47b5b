package vlenstest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
)

// picture says which image: whose, of which verification, which kind as an
// index into Kinds, and what it is made to be (a word of the image table).
type picture struct {
	index, verification, kind int
	content                   string
}

// pictureOf is what a person has under a kind. A kind that only fails on the
// way has the picture all kinds of the user have.
func pictureOf(person Person, kind int, rules Rules) picture {
	content := rules.image(Kinds[kind])
	if isFault(content) {
		content = word(rules.Image, "jpeg")
	}
	return picture{index: person.index, verification: person.Verification, kind: kind, content: content}
}

// Sum is what an archiver must find in an image.
type Sum struct {
	SHA256 string `json:"sha256"` // lower-case hex, over the decoded bytes
	Bytes  int    `json:"bytes"`
}

// album draws pictures when they are asked for and keeps the latest ones.
type album struct {
	people population
	stock  *stockImage // nil when pictures are drawn

	mu    sync.Mutex
	drawn map[picture][]byte
	order []picture // of drawn, oldest first
	bytes int       // in drawn
	sums  map[picture]Sum
}

const (
	albumBytes = 64 << 20 // drawn pictures kept
	albumSums  = 1 << 18  // sums kept, 100 bytes each
)

func newAlbum(people population, imageBytes int) (*album, error) {
	a := &album{people: people, drawn: map[picture][]byte{}, sums: map[picture]Sum{}}
	if imageBytes == 0 {
		return a, nil
	}
	stock, err := newStockImage(imageBytes)
	if err != nil {
		return nil, fmt.Errorf("make an image of %d bytes: %w", imageBytes, err)
	}
	a.stock = stock
	return a, nil
}

// encoded is the base64 of a picture as it stands in the JSON, in parts.
func (a *album) encoded(p picture, encoding string) [][]byte {
	switch {
	case p.content == "empty":
		return nil
	case p.content == "invalid_base64":
		return [][]byte{[]byte("/9j/4AAQ*not*base64*SkZJRg")}
	case a.isStock(p) && (encoding == "" || encoding == "standard"):
		return a.stock.encoded(p)
	}
	return [][]byte{encodeAs(a.image(p), encoding)}
}

// isStock is whether the picture is the benchmark image with its own mark.
func (a *album) isStock(p picture) bool {
	switch p.content {
	case "png", "png_named_jpg", "large", "truncated", "not_image":
		return false
	}
	return a.stock != nil
}

// image is the bytes of a picture. Callers must not change them.
func (a *album) image(p picture) []byte {
	if a.isStock(p) {
		return a.stock.image(p)
	}
	a.mu.Lock()
	data, found := a.drawn[p]
	a.mu.Unlock()
	if found {
		return data
	}
	data = a.make(p)
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, raced := a.drawn[p]; raced {
		return data
	}
	a.drawn[p] = data
	a.order = append(a.order, p)
	a.bytes += len(data)
	for a.bytes > albumBytes {
		a.bytes -= len(a.drawn[a.order[0]])
		delete(a.drawn, a.order[0])
		a.order = a.order[1:]
	}
	return data
}

// sum is the hash and size of a picture.
func (a *album) sum(p picture) Sum {
	a.mu.Lock()
	known, found := a.sums[p]
	a.mu.Unlock()
	if found {
		return known
	}
	data := a.image(p)
	hash := sha256.Sum256(data)
	sum := Sum{SHA256: hex.EncodeToString(hash[:]), Bytes: len(data)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sums) < albumSums {
		a.sums[p] = sum
	}
	return sum
}

// make builds the bytes of a picture.
func (a *album) make(p picture) []byte {
	switch p.content {
	case "not_image":
		return []byte("<html><body>This is not the image you are looking for.</body></html>\n")
	case "large":
		data, err := padded(a.people.draw(p).jpeg(), largeBytes, [markBytes]byte{})
		if err != nil {
			panic(err) // a drawn picture is far smaller than the size asked for
		}
		return data
	case "truncated":
		data := a.people.draw(p).jpeg()
		return data[:len(data)*2/3]
	case "png", "png_named_jpg":
		return a.people.draw(p).png()
	default:
		return a.people.draw(p).jpeg()
	}
}

// largeBytes is just under the 5 MB the vendor's apps may upload.
const largeBytes = 49 << 20 / 10
