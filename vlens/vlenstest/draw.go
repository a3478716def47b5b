package vlenstest

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
)

// draw makes the picture that follows from the seed.
func (p population) draw(pic picture) *canvas {
	person := p.person(pic.index, pic.verification)
	switch Kinds[pic.kind] {
	case IDFront:
		return p.drawFront(person, pic)
	case IDBack:
		return p.drawBack(person, pic)
	default:
		return p.drawSelfie(person, pic)
	}
}

// variant tells pictures under one file name apart: a changed one shows it.
func (p picture) variant() string {
	if p.content == "changed" {
		return "B"
	}
	return "A"
}

func (p picture) date(person Person) string { return person.VerifiedAt.Format("2006-01-02") }

func (c *canvas) jpeg() []byte { return encodeJPEG(c.RGBA) }

func (c *canvas) png() []byte {
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, c.RGBA); err != nil {
		panic(err) // a buffer takes all, and the picture is not empty
	}
	return out.Bytes()
}

func encodeJPEG(img *image.RGBA) []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 80}); err != nil {
		panic(err) // a buffer takes all, and the picture is not empty
	}
	return out.Bytes()
}
