package vlenstest

import (
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// typeface is the outlines of the printable ASCII characters, one em high 1.
type typeface [127]struct {
	shape   outline
	advance float32
}

var (
	regular = sync.OnceValue(func() *typeface { return loadTypeface(goregular.TTF) })
	bold    = sync.OnceValue(func() *typeface { return loadTypeface(gobold.TTF) })
	mono    = sync.OnceValue(func() *typeface { return loadTypeface(gomono.TTF) })
)

// loadTypeface panics on an error, which a font compiled in cannot give.
func loadTypeface(ttf []byte) *typeface {
	loaded, err := sfnt.Parse(ttf)
	if err != nil {
		panic(err)
	}
	const em = 1000
	unit := func(v fixed.Int26_6) float32 { return float32(v) / (64 * em) }
	var face typeface
	var buffer sfnt.Buffer
	for r := ' '; r < rune(len(face)); r++ {
		index, err := loaded.GlyphIndex(&buffer, r)
		if err != nil {
			panic(err)
		}
		advance, err := loaded.GlyphAdvance(&buffer, index, fixed.I(em), font.HintingNone)
		if err != nil {
			panic(err)
		}
		segments, err := loaded.LoadGlyph(&buffer, index, fixed.I(em), nil)
		if err != nil {
			panic(err)
		}
		glyph := &face[r]
		glyph.advance = unit(advance)
		for i, s := range segments {
			var p [3]point
			for j, arg := range s.Args {
				p[j] = point{unit(arg.X), unit(arg.Y)}
			}
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if i > 0 {
					glyph.shape.close()
				}
				glyph.shape.moveTo(p[0].x, p[0].y)
			case sfnt.SegmentOpLineTo:
				glyph.shape.lineTo(p[0].x, p[0].y)
			case sfnt.SegmentOpQuadTo:
				glyph.shape.quadTo(p[0].x, p[0].y, p[1].x, p[1].y)
			case sfnt.SegmentOpCubeTo:
				glyph.shape.cubeTo(p[0].x, p[0].y, p[1].x, p[1].y, p[2].x, p[2].y)
			}
		}
		if len(segments) > 0 {
			glyph.shape.close()
		}
	}
	return &face
}

// text is the outline of ASCII letters that stand on the line y from x on.
func (f *typeface) text(x, y, size float32, letters string) outline {
	var o outline
	for _, r := range letters {
		if r < ' ' || int(r) >= len(f) {
			r = '?'
		}
		for _, s := range f[r].shape {
			for i, p := range s.points {
				s.points[i] = point{float32(p.x*size) + x, float32(p.y*size) + y}
			}
			o = append(o, s)
		}
		x += float32(f[r].advance * size)
	}
	return o
}

func (f *typeface) width(size float32, letters string) float32 {
	var total float32
	for _, r := range letters {
		if r >= ' ' && int(r) < len(f) {
			total += f[r].advance
		}
	}
	return total * size
}

// centred is text around x.
func (f *typeface) centred(x, y, size float32, letters string) outline {
	return f.text(x-f.width(size, letters)/2, y, size, letters)
}
