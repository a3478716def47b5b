package vlenstest

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// outline is a set of closed curves. Filling follows the non-zero winding
// rule, so a curve drawn the other way round inside another cuts a hole.
type outline []stroke

// stroke goes to the last of its points: 0 points close the curve, one of a
// move or line, two bend once, three bend twice.
type stroke struct {
	move   bool
	points [3]point
	count  int
}

type point struct{ x, y float32 }

func (o *outline) moveTo(x, y float32) {
	*o = append(*o, stroke{move: true, points: [3]point{{x, y}}, count: 1})
}

func (o *outline) lineTo(x, y float32) {
	*o = append(*o, stroke{points: [3]point{{x, y}}, count: 1})
}

func (o *outline) quadTo(ax, ay, x, y float32) {
	*o = append(*o, stroke{points: [3]point{{ax, ay}, {x, y}}, count: 2})
}

func (o *outline) cubeTo(ax, ay, bx, by, x, y float32) {
	*o = append(*o, stroke{points: [3]point{{ax, ay}, {bx, by}, {x, y}}, count: 3})
}

func (o *outline) close() { *o = append(*o, stroke{}) }

// ellipse is a closed curve; a negative rx draws it the other way round.
func ellipse(cx, cy, rx, ry float32) outline {
	const k = 0.5522848 // the cubic that stays closest to a quarter circle
	var o outline
	o.moveTo(cx+rx, cy)
	o.cubeTo(cx+rx, cy+k*ry, cx+k*rx, cy+ry, cx, cy+ry)
	o.cubeTo(cx-k*rx, cy+ry, cx-rx, cy+k*ry, cx-rx, cy)
	o.cubeTo(cx-rx, cy-k*ry, cx-k*rx, cy-ry, cx, cy-ry)
	o.cubeTo(cx+k*rx, cy-ry, cx+rx, cy-k*ry, cx+rx, cy)
	o.close()
	return o
}

func ring(cx, cy, rx, ry, width float32) outline {
	return append(ellipse(cx, cy, rx, ry), ellipse(cx, cy, -(rx-width), ry-width)...)
}

func rectangle(x, y, w, h float32) outline {
	return polygon(point{x, y}, point{x + w, y}, point{x + w, y + h}, point{x, y + h})
}

func polygon(corners ...point) outline {
	var o outline
	o.moveTo(corners[0].x, corners[0].y)
	for _, c := range corners[1:] {
		o.lineTo(c.x, c.y)
	}
	o.close()
	return o
}

// line is a thin line through points, as one quadrilateral for each piece.
func line(width float32, through ...point) outline {
	var o outline
	for i, b := range through[1:] {
		a := through[i]
		length := float32(math.Hypot(float64(b.x-a.x), float64(b.y-a.y)))
		if length == 0 {
			continue
		}
		nx, ny := (a.y-b.y)/length*width/2, (b.x-a.x)/length*width/2
		o = append(o, polygon(point{a.x + nx, a.y + ny}, point{b.x + nx, b.y + ny}, point{b.x - nx, b.y - ny}, point{a.x - nx, a.y - ny})...)
	}
	return o
}

// turned is the outline turned clockwise by an angle in radians around the
// origin, then moved.
func (o outline) turned(angle float64, dx, dy float32) outline {
	sin, cos := float32(math.Sin(angle)), float32(math.Cos(angle))
	out := make(outline, len(o))
	for i, s := range o {
		for j, p := range s.points {
			s.points[j] = point{float32(p.x*cos) - float32(p.y*sin) + dx, float32(p.x*sin) + float32(p.y*cos) + dy}
		}
		out[i] = s
	}
	return out
}

// canvas is a picture being drawn. Coordinates of outlines are multiplied by
// scale and moved to the origin first.
type canvas struct {
	*image.RGBA
	mask   *vector.Rasterizer
	layer  *image.Alpha
	scale  float32
	origin point
}

func newCanvas(width, height int) *canvas {
	return &canvas{RGBA: image.NewRGBA(image.Rect(0, 0, width, height)), mask: vector.NewRasterizer(0, 0), layer: &image.Alpha{}, scale: 1}
}

// at is the same picture with other coordinates.
func (c *canvas) at(x, y, scale float32) *canvas {
	return &canvas{RGBA: c.RGBA, mask: c.mask, layer: c.layer, scale: scale, origin: point{x, y}}
}

// fill paints shapes one after the other; each costs as many steps as its
// bounds have pixels.
func (c *canvas) fill(paint color.Color, shapes ...outline) {
	ink := color.NRGBAModel.Convert(paint).(color.NRGBA)
	for _, shape := range shapes {
		bounds := c.bounds(shape)
		if bounds.Empty() {
			continue
		}
		c.trace(shape, bounds)
		c.blend(bounds, ink)
	}
}

// blend lays ink over the pixels within bounds as far as the mask covers
// them. Most pixels are outside the shape or wholly inside, so those two cases
// come first; the rasterizer's own blending computes all of them.
func (c *canvas) blend(bounds image.Rectangle, ink color.NRGBA) {
	coverage := c.coverage(bounds.Dx(), bounds.Dy())
	c.mask.Draw(coverage, coverage.Rect, image.Opaque, image.Point{})
	r, g, b := int(ink.R), int(ink.G), int(ink.B)
	for y := range bounds.Dy() {
		row := c.Pix[c.PixOffset(bounds.Min.X, bounds.Min.Y+y):]
		for x, covered := range coverage.Pix[y*coverage.Stride:][:bounds.Dx()] {
			if covered == 0 {
				continue
			}
			pixel := row[4*x : 4*x+4 : 4*x+4]
			if covered == 255 && ink.A == 255 {
				pixel[0], pixel[1], pixel[2], pixel[3] = ink.R, ink.G, ink.B, 255
				continue
			}
			a := int(covered) * int(ink.A) * 257 >> 8 // of 65,535
			rest := 65_535 - a
			pixel[0] = uint8((int(pixel[0])*rest + r*a) >> 16)
			pixel[1] = uint8((int(pixel[1])*rest + g*a) >> 16)
			pixel[2] = uint8((int(pixel[2])*rest + b*a) >> 16)
			pixel[3] = uint8((int(pixel[3])*rest + 255*a + 65_534) >> 16)
		}
	}
}

// coverage is the mask's pixels, in memory that is used again for each shape.
func (c *canvas) coverage(width, height int) *image.Alpha {
	if cap(c.layer.Pix) < width*height {
		c.layer.Pix = make([]byte, width*height)
	}
	c.layer.Pix, c.layer.Stride, c.layer.Rect = c.layer.Pix[:width*height], width, image.Rect(0, 0, width, height)
	return c.layer
}

// trace makes the shape the mask for the pixels within bounds.
func (c *canvas) trace(shape outline, bounds image.Rectangle) {
	c.mask.Reset(bounds.Dx(), bounds.Dy())
	c.mask.DrawOp = draw.Src
	left, top := float32(bounds.Min.X), float32(bounds.Min.Y)
	for _, s := range shape {
		var p [3]point
		for i := range s.count {
			p[i] = c.place(s.points[i])
			p[i].x -= left
			p[i].y -= top
		}
		switch {
		case s.count == 0:
			c.mask.ClosePath()
		case s.move:
			c.mask.MoveTo(p[0].x, p[0].y)
		case s.count == 1:
			c.mask.LineTo(p[0].x, p[0].y)
		case s.count == 2:
			c.mask.QuadTo(p[0].x, p[0].y, p[1].x, p[1].y)
		default:
			c.mask.CubeTo(p[0].x, p[0].y, p[1].x, p[1].y, p[2].x, p[2].y)
		}
	}
}

// The conversions keep the compiler from fusing multiplication and addition,
// which would give other bytes on other processors.
func (c *canvas) place(p point) point {
	return point{float32(p.x*c.scale) + c.origin.x, float32(p.y*c.scale) + c.origin.y}
}

// bounds are the pixels the shape touches. Control points lie around their
// curve, so they bound it.
func (c *canvas) bounds(shape outline) image.Rectangle {
	low, high := point{math.MaxFloat32, math.MaxFloat32}, point{-math.MaxFloat32, -math.MaxFloat32}
	for _, s := range shape {
		for i := range s.count {
			p := c.place(s.points[i])
			low = point{min(low.x, p.x), min(low.y, p.y)}
			high = point{max(high.x, p.x), max(high.y, p.y)}
		}
	}
	if low.x > high.x {
		return image.Rectangle{}
	}
	touched := image.Rect(int(math.Floor(float64(low.x))), int(math.Floor(float64(low.y))),
		int(math.Ceil(float64(high.x))), int(math.Ceil(float64(high.y))))
	return touched.Intersect(c.Rect)
}

// shade fills the picture from one colour at the top to another at the bottom.
func (c *canvas) shade(top, bottom color.RGBA) {
	height := c.Rect.Dy()
	mix := func(a, b uint8, y int) uint8 { return uint8((int(a)*(height-y) + int(b)*y) / height) }
	for y := range height {
		row := c.Pix[y*c.Stride : y*c.Stride+4*c.Rect.Dx()]
		r, g, b := mix(top.R, bottom.R, y), mix(top.G, bottom.G, y), mix(top.B, bottom.B, y)
		for x := 0; x < len(row); x += 4 {
			row[x], row[x+1], row[x+2], row[x+3] = r, g, b, 255
		}
	}
}

// grain is the noise of a camera sensor: the same for every picture of a size.
func (c *canvas) grain(strength int) {
	table := noise(4096)
	at := 0
	for i := 0; i < len(c.Pix); i += 4 {
		change := int(table[at&4095])*strength>>8 - strength/2
		at += 1 + i>>14&1 + int(table[at>>3&4095]&1) // breaks the table's period
		for j := i; j < i+3; j++ {
			c.Pix[j] = uint8(min(255, max(0, int(c.Pix[j])+change)))
		}
	}
}

func rgb(hex uint32) color.RGBA {
	return color.RGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

// faded is a colour with an opacity from 0 to 1.
func faded(c color.RGBA, opacity float64) color.NRGBA {
	return color.NRGBA{c.R, c.G, c.B, uint8(255 * opacity)}
}

// darker is a colour in the shade; more than 1 makes it lighter.
func darker(c color.RGBA, by float64) color.RGBA {
	scale := func(v uint8) uint8 { return uint8(min(255, float64(v)*by)) }
	return color.RGBA{scale(c.R), scale(c.G), scale(c.B), 255}
}
