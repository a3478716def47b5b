package vlenstest

import (
	"fmt"
	"image/color"
	"strings"
	"sync"
)

// backPaper is what all card backs share; it is drawn once.
var backPaper = sync.OnceValue(func() *canvas {
	c := newCanvas(cardWidth, cardHeight)
	c.shade(rgb(0xf2ece0), rgb(0xe2d5c3))
	c.guilloche(rgb(0x8c6a2a), 0.7, 0.2)
	c.guilloche(rgb(0x2a5f8c), 2.6, 0.14)
	c.fill(rgb(0x3d3a36), rectangle(0, 36, cardWidth, 66))
	c.fill(color.White, rectangle(60, 380, cardWidth-120, 96))
	c.fill(rgb(0xfbfaf6), rectangle(0, 500, cardWidth, 130))
	c.fill(cardLabel, regular().text(60, 132, 18, "BACK - synthetic specimen, valid for nothing"))
	for _, f := range backFields {
		c.fill(cardLabel, regular().text(f.x, f.y-32, 18, f.label))
	}
	c.grain(9)
	return c
})

var backFields = []struct {
	label string
	x, y  float32
}{
	{"OCCUPATION", 60, 200}, {"ADDRESS", 60, 280}, {"MARITAL STATUS", 620, 200}, {"PLACE OF ISSUE", 620, 280},
}

var (
	occupations = []string{"Kite maker", "Cloud painter", "Date taster", "Tram poet", "Felucca tuner", "Lantern critic"}
	streets     = []string{"Imaginary St.", "Palm Shadow St.", "Made-up Sq.", "Test Data St.", "Nowhere Corniche"}
	places      = []string{"New Nowhere", "Port Example", "Specimen City", "Upper Testing"}
)

func (p population) drawBack(person Person, pic picture) *canvas {
	c := newCanvas(cardWidth, cardHeight)
	copy(c.Pix, backPaper().Pix)
	random := p.random(person.index, "back")
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	place := pick(places)
	c.fill(cardInk,
		bold().text(60, 200, 30, pick(occupations)),
		bold().text(60, 280, 30, fmt.Sprintf("%d %s, %s", 1+random.IntN(200), pick(streets), place)),
		bold().text(620, 200, 30, pick([]string{"Single", "Married"})),
		bold().text(620, 280, 30, place))

	var bars outline
	for x := float32(76); x < cardWidth-76; {
		wide := float32(2 + 2*random.IntN(4))
		bars = append(bars, rectangle(x, 388, wide, 80)...)
		x += wide + float32(3+2*random.IntN(3))
	}
	c.fill(rgb(0x101010), bars)
	first, second := machineLines(person, pic)
	c.fill(rgb(0x101010), mono().text(40, 552, 44, first), mono().text(40, 606, 44, second))
	c.stamp(cardStamp())
	return c
}

// machineLines look like the machine-readable zone of ICAO Doc 9303, with the
// country "Utopia" (UTO) its samples use.
func machineLines(person Person, pic picture) (first, second string) {
	const width = 34
	words := strings.Fields(strings.ToUpper(strings.ReplaceAll(person.Name, "-", "")))
	first = "IDUTO" + words[len(words)-1] + "<<" + strings.Join(words[:len(words)-1], "<")
	second = person.NationalID + "UTO" + person.BirthDate.Format("060102") + fmt.Sprintf("<%d<%s", pic.verification, pic.variant())
	fit := func(s string) string { return (s + strings.Repeat("<", width))[:width] }
	return fit(first), fit(second)
}
