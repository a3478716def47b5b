package vlenstest

import (
	"image/color"
	"math"
	"sync"
)

// Cards have the proportions of ID-1 (ISO/IEC 7810).
const (
	cardWidth  = 1000
	cardHeight = 630
)

var (
	cardInk   = rgb(0x14303c)
	cardLabel = rgb(0x5b7783)
)

// cardPaper is what all card fronts share; it is drawn once.
var cardPaper = sync.OnceValue(func() *canvas {
	c := newCanvas(cardWidth, cardHeight)
	c.shade(rgb(0xe9f3ee), rgb(0xcfe3e6))
	c.guilloche(rgb(0x2a8c82), 0, 0.22)
	c.guilloche(rgb(0xb0893e), 1.9, 0.16)
	c.fill(rgb(0x0f5b66), rectangle(0, 0, cardWidth, 92))
	c.fill(rgb(0xd9b04c), rectangle(0, 92, cardWidth, 7))
	c.fill(color.White, bold().text(36, 52, 36, "IDENTITY CARD"))
	c.fill(rgb(0xbfe0dc), regular().text(36, 80, 20, "Republic of Simulation - front - no identity document"))
	c.fill(rgb(0xd9b04c), ring(930, 46, 32, 32, 5), star(930, 46, 20))
	for _, f := range cardFields {
		c.fill(cardLabel, regular().text(f.x, f.y-38, 18, f.label))
	}
	c.grain(9)
	return c
})

var cardFields = []struct {
	label string
	x, y  float32
}{
	{"NAME", 350, 190},
	{"DATE OF BIRTH", 350, 290},
	{"SEX", 700, 290},
	{"ISSUED", 350, 390},
	{"EXPIRES", 700, 390},
	{"CARD NUMBER", 350, 530},
}

func (p population) drawFront(person Person, pic picture) *canvas {
	c := newCanvas(cardWidth, cardHeight)
	copy(c.Pix, cardPaper().Pix)

	photo := newCanvas(256, 330)
	photo.shade(rgb(0xf4f6f7), rgb(0xb9c6cc))
	p.look(person).portrait(photo.at(128, 140, 64), 0)
	c.fill(rgb(0x0f5b66), rectangle(46, 136, 268, 342))
	for y := range 330 {
		copy(c.Pix[(y+142)*c.Stride+52*4:], photo.Pix[y*photo.Stride:y*photo.Stride+256*4])
	}

	issued := person.VerifiedAt.AddDate(-2, -3, 0)
	sex := "M"
	if person.Woman {
		sex = "F"
	}
	const day = "02 Jan 2006"
	c.fill(cardInk,
		bold().text(350, 190, 34, person.Name),
		bold().text(350, 290, 32, person.BirthDate.Format(day)),
		bold().text(700, 290, 32, sex),
		bold().text(350, 390, 32, issued.Format(day)),
		bold().text(700, 390, 32, issued.AddDate(7, 0, 0).Format(day)),
		mono().text(350, 545, 58, person.NationalID))
	c.fill(cardLabel, mono().text(52, 520, 20, person.ID+"/"+pic.variant()))
	c.stamp(cardStamp())
	return c
}

// guilloche covers the card with waves that cross, as banknotes have them.
func (c *canvas) guilloche(ink color.RGBA, phase, opacity float64) {
	for i := range 26 {
		var wave []point
		for x := 0; x <= cardWidth; x += 8 {
			t := float64(x)/90 + phase
			y := 110 + 20*float64(i) + 26*math.Sin(t+float64(i)*0.45) + 14*math.Sin(2.3*t-float64(i)*0.3)
			wave = append(wave, point{float32(x), float32(y)})
		}
		c.fill(faded(ink, opacity), line(1.6, wave...))
	}
}

func star(cx, cy, radius float32) outline {
	var corners []point
	for i := range 10 {
		sin, cos := math.Sincos(float64(i)*math.Pi/5 - math.Pi/2)
		r := radius
		if i%2 == 1 {
			r *= 0.42
		}
		corners = append(corners, point{cx + r*float32(cos), cy + r*float32(sin)})
	}
	return polygon(corners...)
}
