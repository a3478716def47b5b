package vlenstest

import "image/color"

// look is what a synthetic person looks like; it stays the same over all
// their pictures.
type look struct {
	woman      bool
	skin, hair color.RGBA
	cloth      color.RGBA
	scarf      color.RGBA // of the hijab
	hijab      bool
	bald       bool
	longHair   bool
	beard      bool
	moustache  bool
	glasses    bool
	eyes       color.RGBA
	faceWidth  float32 // 0.9 to 1.06
	browTilt   float32 // -0.05 to 0.08
	mouthWidth float32 // 0.3 to 0.46
	noseLength float32 // 0.42 to 0.6
}

var (
	skins  = []color.RGBA{rgb(0xf2cfae), rgb(0xe5b88f), rgb(0xd39f73), rgb(0xbd8559), rgb(0x9a6642), rgb(0x744a2e)}
	hairs  = []color.RGBA{rgb(0x17120f), rgb(0x2b1d14), rgb(0x4a3020), rgb(0x6b4a2f), rgb(0x8d8a86)}
	cloths = []color.RGBA{rgb(0x2f4a6d), rgb(0x6d2f3a), rgb(0x2f6d50), rgb(0x54506b), rgb(0x8a6b2d), rgb(0x37474f), rgb(0xb0a99a), rgb(0x1f2a36)}
	scarfs = []color.RGBA{rgb(0x5c7f9c), rgb(0xc9a6a1), rgb(0x3d3d45), rgb(0x7d9a75), rgb(0xe0d4bf), rgb(0x8b6f94), rgb(0xb5654a)}
	irises = []color.RGBA{rgb(0x3a2414), rgb(0x4f3420), rgb(0x2f3d2a), rgb(0x54483a)}
)

func (p population) look(person Person) look {
	random := p.random(person.index, "look")
	pick := func(list []color.RGBA) color.RGBA { return list[random.IntN(len(list))] }
	between := func(low, high float32) float32 { return low + random.Float32()*(high-low) }
	l := look{
		woman:      person.Woman,
		skin:       pick(skins),
		hair:       pick(hairs),
		cloth:      pick(cloths),
		scarf:      pick(scarfs),
		eyes:       pick(irises),
		glasses:    random.IntN(3) == 0,
		faceWidth:  between(0.9, 1.06),
		browTilt:   between(-0.05, 0.08),
		mouthWidth: between(0.3, 0.46),
		noseLength: between(0.42, 0.6),
	}
	if l.woman {
		l.hijab = random.IntN(10) < 6
		l.longHair = !l.hijab
		return l
	}
	l.bald = random.IntN(9) == 0
	l.beard = random.IntN(5) < 2
	l.moustache = l.beard || random.IntN(4) == 0
	return l
}
