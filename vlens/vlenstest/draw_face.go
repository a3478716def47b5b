package vlenstest

import "image/color"

// portrait draws head and shoulders. The unit is half the width of a head,
// the origin is between the ears; yaw is how far the head is turned, from -1
// (to the left of the picture) to 1.
func (l look) portrait(c *canvas, yaw float32) {
	l.behind(c, yaw)
	l.shoulders(c)
	l.head(c, yaw)
	// What is on the front of the head moves with it, and the more so the
	// further it stands out.
	shift := yaw * 0.34
	if l.beard {
		l.drawBeard(c, shift)
	}
	l.eyesAndBrows(c, shift, yaw)
	l.noseAndMouth(c, shift, yaw)
	if l.hijab {
		l.drawHijab(c, yaw)
	} else if !l.bald {
		l.hairline(c, shift)
	}
	if l.glasses {
		l.drawGlasses(c, shift, yaw)
	}
}

func (l look) behind(c *canvas, yaw float32) {
	switch {
	case l.hijab:
		c.fill(darker(l.scarf, 0.8), ellipse(-yaw*0.08, 0.1, 1.42, 1.78))
	case l.longHair:
		var o outline
		o.moveTo(-1.2, 1.9)
		o.cubeTo(-1.75, 0.2, -1.4, -1.75, 0, -1.7)
		o.cubeTo(1.4, -1.75, 1.75, 0.2, 1.2, 1.9)
		o.close()
		c.fill(darker(l.hair, 0.85), o)
	}
}

func (l look) shoulders(c *canvas) {
	c.fill(darker(l.skin, 0.82), polygon(point{-0.46, 0.8}, point{0.46, 0.8}, point{0.56, 2.1}, point{-0.56, 2.1}))
	var body outline
	body.moveTo(-2.5, 4.4)
	body.cubeTo(-2.5, 2.5, -1.7, 2.2, -0.55, 1.75)
	body.quadTo(0, 2.5, 0.55, 1.75)
	body.cubeTo(1.7, 2.2, 2.5, 2.5, 2.5, 4.4)
	body.close()
	c.fill(l.cloth, body)
	if !l.woman {
		c.fill(darker(l.cloth, 1.3),
			polygon(point{-0.55, 1.75}, point{-0.75, 2.2}, point{-0.1, 2.6}, point{0, 2.15}),
			polygon(point{0.55, 1.75}, point{0, 2.15}, point{0.1, 2.6}, point{0.75, 2.2}))
	}
}

func (l look) head(c *canvas, yaw float32) {
	if !l.hijab {
		ear := darker(l.skin, 0.88)
		if yaw < 0.5 {
			c.fill(ear, ellipse(l.faceWidth+0.02-yaw*0.1, 0.12, 0.17, 0.29))
		}
		if yaw > -0.5 {
			c.fill(ear, ellipse(-l.faceWidth-0.02-yaw*0.1, 0.12, 0.17, 0.29))
		}
	}
	c.fill(l.skin, l.headShape())
	// The cheek turned away from the light.
	side := float32(1)
	if yaw > 0 {
		side = -1
	}
	var shadow outline
	w := l.faceWidth * side
	shadow.moveTo(w*0.9, -0.6)
	shadow.cubeTo(w*1.02, -0.2, w*1.02, 0.3, w*0.86, 0.78)
	shadow.cubeTo(w*0.7, 1.1, w*0.4, 1.3, w*0.1, 1.34)
	shadow.cubeTo(w*0.6, 1.0, w*0.82, 0.2, w*0.9, -0.6)
	shadow.close()
	c.fill(faded(darker(l.skin, 0.7), 0.45), shadow)
}

func (l look) headShape() outline {
	w := l.faceWidth
	var o outline
	o.moveTo(-w, -0.2)
	o.cubeTo(-w, -1.65, w, -1.65, w, -0.2)
	o.cubeTo(w, 0.75, w*0.62, 1.36, 0, 1.36)
	o.cubeTo(-w*0.62, 1.36, -w, 0.75, -w, -0.2)
	o.close()
	return o
}

func (l look) drawBeard(c *canvas, shift float32) {
	w := l.faceWidth
	var o outline
	o.moveTo(-w, 0.05)
	o.cubeTo(-w, 0.9, -w*0.66, 1.46, 0, 1.46)
	o.cubeTo(w*0.66, 1.46, w, 0.9, w, 0.05)
	o.cubeTo(w*0.9, 0.5, w*0.75, 0.62, shift+0.5, 0.62)
	o.quadTo(shift, 0.46, shift-0.5, 0.62)
	o.cubeTo(-w*0.75, 0.62, -w*0.9, 0.5, -w, 0.05)
	o.close()
	c.fill(faded(l.hair, 0.9), o)
}

func (l look) eyesAndBrows(c *canvas, shift, yaw float32) {
	for _, side := range []float32{-1, 1} {
		// The eye on the far side looks narrower.
		narrow := 1 - 0.28*max(0, yaw*side)
		x := shift + side*0.42*narrow
		c.fill(rgb(0xfaf7f2), ellipse(x, -0.08, 0.2*narrow, 0.105))
		c.fill(l.eyes, ellipse(x+yaw*0.05, -0.08, 0.1*narrow, 0.1))
		c.fill(rgb(0x0b0908), ellipse(x+yaw*0.05, -0.08, 0.05*narrow, 0.05))
		c.fill(color.White, ellipse(x+yaw*0.05+0.03, -0.115, 0.022, 0.022))
		lid := line(0.045, point{x - 0.22*narrow, -0.08}, point{x - 0.1*narrow, -0.18}, point{x + 0.1*narrow, -0.18}, point{x + 0.22*narrow, -0.08})
		c.fill(darker(l.hair, 0.7), lid)
		var brow outline
		inner, outer := x-side*0.24*narrow, x+side*0.28*narrow
		brow.moveTo(inner, -0.34-l.browTilt)
		brow.quadTo(x, -0.46, outer, -0.34+l.browTilt)
		brow.quadTo(x, -0.38, inner, -0.27-l.browTilt)
		brow.close()
		c.fill(darker(l.hair, 0.9), brow)
	}
}

func (l look) noseAndMouth(c *canvas, shift, yaw float32) {
	tip := shift + yaw*0.14
	bottom := -0.05 + l.noseLength
	var nose outline
	nose.moveTo(shift+0.07, -0.1)
	nose.quadTo(tip+0.14, bottom-0.16, tip+0.18, bottom-0.03)
	nose.quadTo(tip, bottom+0.1, tip-0.18, bottom-0.03)
	nose.quadTo(tip-0.02, bottom+0.02, tip+0.06, bottom-0.08)
	nose.close()
	c.fill(darker(l.skin, 0.78), nose)

	y := bottom + 0.32
	w := l.mouthWidth
	if l.moustache {
		var o outline
		o.moveTo(shift-w-0.06, y-0.02)
		o.quadTo(shift-w*0.4, y-0.22, shift, y-0.15)
		o.quadTo(shift+w*0.4, y-0.22, shift+w+0.06, y-0.02)
		o.quadTo(shift, y-0.1, shift-w-0.06, y-0.02)
		o.close()
		c.fill(faded(l.hair, 0.95), o)
	}
	lips := color.RGBA{uint8(min(255, int(l.skin.R)*82/100+14)), uint8(int(l.skin.G) * 58 / 100), uint8(int(l.skin.B) * 58 / 100), 255}
	var mouth outline
	mouth.moveTo(shift-w, y-0.05)
	mouth.quadTo(shift-w*0.35, y-0.09, shift, y-0.04)
	mouth.quadTo(shift+w*0.35, y-0.09, shift+w, y-0.05)
	mouth.quadTo(shift, y+0.25, shift-w, y-0.05)
	mouth.close()
	c.fill(lips, mouth)
	c.fill(darker(lips, 0.6), line(0.025, point{shift - w, y - 0.05}, point{shift - w*0.4, y + 0.015}, point{shift + w*0.4, y + 0.015}, point{shift + w, y - 0.05}))
}

func (l look) hairline(c *canvas, shift float32) {
	w := l.faceWidth + 0.06
	var o outline
	o.moveTo(-w, -0.02)
	o.cubeTo(-w-0.14, -1.95, w+0.14, -1.95, w, -0.02)
	o.cubeTo(w-0.1, -0.5, w-0.2, -0.7, shift*0.6+0.35, -0.84)
	o.cubeTo(shift*0.6, -0.95, shift*0.6-0.4, -0.7, -w+0.2, -0.6)
	o.quadTo(-w+0.06, -0.35, -w, -0.02)
	o.close()
	c.fill(l.hair, o)
}

// drawHijab lays the scarf around the face, which shows through an oval.
func (l look) drawHijab(c *canvas, yaw float32) {
	x := yaw * 0.16
	scarf := ellipse(-yaw*0.05, 0.02, 1.3, 1.68)
	opening := ellipse(x, 0.06, -0.86, 1.16)
	c.fill(l.scarf, append(scarf, opening...))
	var drape outline
	drape.moveTo(-1.22, 0.6)
	drape.cubeTo(-1.5, 1.6, -1.5, 2.3, -0.9, 2.9)
	drape.quadTo(0.2, 3.4, 1.0, 2.8)
	drape.cubeTo(1.5, 2.2, 1.5, 1.5, 1.22, 0.6)
	drape.cubeTo(0.95, 1.3, 0.5, 1.5, x, 1.2)
	drape.cubeTo(-0.5, 1.5, -0.95, 1.3, -1.22, 0.6)
	drape.close()
	c.fill(l.scarf, drape)
	fold := darker(l.scarf, 0.82)
	c.fill(fold, line(0.05, point{-1.1, 1.1}, point{-0.5, 1.75}, point{0.3, 2.15}, point{1.0, 2.3}))
	c.fill(fold, line(0.04, point{-1.05, 1.5}, point{-0.4, 2.2}, point{0.4, 2.6}))
}

func (l look) drawGlasses(c *canvas, shift, yaw float32) {
	frame := rgb(0x1d1d22)
	for _, side := range []float32{-1, 1} {
		narrow := 1 - 0.28*max(0, yaw*side)
		x := shift + side*0.43*narrow
		c.fill(faded(rgb(0xdcecff), 0.18), ellipse(x, -0.06, 0.31*narrow, 0.25))
		c.fill(frame, ring(x, -0.06, 0.33*narrow, 0.27, 0.05))
		c.fill(frame, line(0.05, point{x + side*0.32*narrow, -0.1}, point{side * l.faceWidth, -0.14}))
	}
	c.fill(frame, line(0.05, point{shift - 0.11, -0.1}, point{shift + 0.11, -0.1}))
}
