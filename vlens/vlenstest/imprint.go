package vlenstest

import (
	"image/color"
	"math"
	"slices"
	"sync"
)

// imprint is a shape that all pictures of a size carry, as the pixels it
// touches: printing it costs only those.
type imprint []dot

type dot struct {
	at      int // in Pix
	opacity uint8
}

func newImprint(width, height int, shapes ...outline) imprint {
	c := newCanvas(width, height)
	c.fill(color.White, shapes...)
	var touched imprint
	for i := 0; i < len(c.Pix); i += 4 {
		if opacity := c.Pix[i+3]; opacity > 0 {
			touched = append(touched, dot{i, opacity})
		}
	}
	return slices.Clip(touched)
}

func (c *canvas) print(mark imprint, ink color.RGBA, opacity float64) {
	strength := int(256 * opacity)
	r, g, b := int(ink.R), int(ink.G), int(ink.B)
	for _, d := range mark {
		cover := int(d.opacity) * strength / 255
		pixel := c.Pix[d.at : d.at+3 : d.at+3]
		pixel[0] = uint8((int(pixel[0])*(256-cover) + r*cover) >> 8)
		pixel[1] = uint8((int(pixel[1])*(256-cover) + g*cover) >> 8)
		pixel[2] = uint8((int(pixel[2])*(256-cover) + b*cover) >> 8)
	}
}

var (
	cardStamp   = sync.OnceValue(func() imprint { return specimen(cardWidth, cardHeight, 190) })
	selfieStamp = sync.OnceValue(func() imprint { return specimen(selfieWidth, selfieHeight, 120) })
)

// specimen is the word across the picture, from the lower left to the upper
// right.
func specimen(width, height int, size float32) imprint {
	angle := -math.Atan2(float64(height), float64(width))
	letters := bold().centred(0, size*0.36, size, "SPECIMEN")
	return newImprint(width, height, letters.turned(angle, float32(width)/2, float32(height)/2))
}

// stamp prints SPECIMEN in a red that lets the picture through.
func (c *canvas) stamp(mark imprint) { c.print(mark, rgb(0xc61f2e), 0.28) }
