package vlenstest

import (
	"image/color"
	"math"
	"sync"
)

// Selfies are upright, as phones take them.
const (
	selfieWidth  = 480
	selfieHeight = 640
)

// poses are how far the head is turned in each of the four selfies, and what
// the picture is called.
var poses = map[Kind]struct {
	yaw   float32
	title string
}{
	Liveness: {0.12, "LIVENESS SELFIE"},
	Face1:    {0, "FACE 1 - FRONT"},
	Face2:    {-1, "FACE 2 - LEFT"},
	Face3:    {1, "FACE 3 - RIGHT"},
}

var walls = []color.RGBA{rgb(0xd8d2c4), rgb(0xb9c7cf), rgb(0xc9b8a3), rgb(0xaab8a0), rgb(0xd9c3c3), rgb(0x9fa8b5)}

func (p population) drawSelfie(person Person, pic picture) *canvas {
	kind := Kinds[pic.kind]
	pose := poses[kind]
	c := newCanvas(selfieWidth, selfieHeight)
	// Another verification, or changed bytes, is another room.
	random := p.random(person.index*1000+pic.verification, "room "+pic.variant())
	wall := walls[random.IntN(len(walls))]
	c.shade(darker(wall, 1.08), darker(wall, 0.8))
	lamp := float32(random.IntN(selfieWidth))
	c.fill(faded(rgb(0xffffff), 0.25), ellipse(lamp, 40, 150, 110))
	c.fill(faded(darker(wall, 0.6), 0.6), line(3, point{lamp - 260, 0}, point{lamp - 250, selfieHeight}))

	p.look(person).portrait(c.at(selfieWidth/2, 280, 118), pose.yaw)
	c.grain(16)
	if kind == Liveness {
		c.print(guideDim(), rgb(0x0d1b2a), 0.35)
		c.print(guideOval(), rgb(0x38d39f), 1)
	}
	c.stamp(selfieStamp())
	c.fill(faded(rgb(0x101418), 0.72), rectangle(0, selfieHeight-46, selfieWidth, 46))
	c.fill(color.White, bold().text(16, selfieHeight-16, 22, pose.title))
	note := person.ID + "  " + pic.date(person)
	c.fill(rgb(0xc8d0d8), mono().text(selfieWidth-16-mono().width(15, note), selfieHeight-17, 15, note))
	return c
}

// The capture screen lays an oval over the camera to hold the face in, with
// ticks around it that fill up, and dims the rest.
const (
	guideX, guideY   = selfieWidth / 2, 290
	guideRX, guideRY = 176, 236
)

var guideDim = sync.OnceValue(func() imprint {
	frame := append(rectangle(0, 0, selfieWidth, selfieHeight), ellipse(guideX, guideY, -guideRX, guideRY)...)
	return newImprint(selfieWidth, selfieHeight, frame)
})

var guideOval = sync.OnceValue(func() imprint {
	shapes := []outline{ring(guideX, guideY, guideRX+4, guideRY+4, 5)}
	for i := range 60 {
		sin, cos := math.Sincos(float64(i) * math.Pi / 30)
		shapes = append(shapes, line(3,
			point{guideX + float32(cos)*(guideRX+10), guideY + float32(sin)*(guideRY+10)},
			point{guideX + float32(cos)*(guideRX+20), guideY + float32(sin)*(guideRY+20)}))
	}
	return newImprint(selfieWidth, selfieHeight, shapes...)
})
