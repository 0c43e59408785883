package render

import (
	"encoding/hex"
	"fmt"
	"image/color"
	"math"
)

// Colormap maps 0 … 1 to colours.
type Colormap int

// The colour maps. Viridis has even steps of lightness; Twilight is cyclic, for phases.
const (
	Gray Colormap = iota
	Viridis
	Twilight
)

// String returns the name of m.
func (m Colormap) String() string {
	switch m {
	case Gray:
		return "gray"
	case Viridis:
		return "viridis"
	case Twilight:
		return "twilight"
	}
	return fmt.Sprintf("Colormap(%d)", int(m))
}

// palette is a colour map by index, lowest value first.
type palette [256]color.RGBA

// palette returns the colours of m. It panics when m is none of the constants.
func (m Colormap) palette() *palette {
	var p palette
	table := ""
	switch m {
	case Gray:
		for i := range p {
			p[i] = color.RGBA{uint8(i), uint8(i), uint8(i), 255}
		}
		return &p
	case Viridis:
		table = viridisTable
	case Twilight:
		table = twilightTable
	default:
		panic("render: no colour map " + m.String())
	}
	rgb, _ := hex.DecodeString(table)
	for i := range p {
		p[i] = color.RGBA{rgb[3*i], rgb[3*i+1], rgb[3*i+2], 255}
	}
	return &p
}

// at returns the colour of fraction t of the way from the lowest to the highest value, nearer ends beyond.
func (p *palette) at(t float64) color.RGBA {
	return p[int(math.Round(255*min(max(t, 0), 1)))]
}

// The colours that are not values.
var (
	paper     = color.RGBA{255, 255, 255, 255}
	ink       = color.RGBA{34, 34, 34, 255}
	faint     = color.RGBA{102, 102, 102, 255}
	unknown   = color.RGBA{180, 180, 180, 255} // not measured
	hatch     = color.RGBA{150, 150, 150, 255} // lines across it, because a gray map has that gray too
	nonFinite = color.RGBA{255, 0, 255, 255}
)
