package recon

import (
	"fmt"

	"ptycho/data"
)

// Load reads what Save has written, without the patches. An error names the file, the key, and what was expected.
func Load(path string) (*Reconstruction, error) {
	a, err := data.ReadNPZ(path)
	if err != nil {
		return nil, err
	}
	r := &Reconstruction{Object: &data.Image{}}
	object, ok := a["object"]
	if !ok || len(object.Shape) != 2 {
		return nil, fmt.Errorf("%s: object: expected a reconstruction, whose object is complex with two axes, found shape %v; give the %s of an inference or a refinement", path, object.Shape, ReconstructionFile)
	}
	r.Object.Rows, r.Object.Cols = object.Shape[0], object.Shape[1]
	var origin []int64
	for _, f := range []struct {
		key      string
		required bool
		convert  func(data.Array) error
	}{
		{"object", true, func(v data.Array) (err error) { r.Object.Pix, err = v.Complex64s(); return }},
		{"coverage", true, func(v data.Array) (err error) { r.Coverage, err = v.Float32s(); return }},
		{"origin", true, func(v data.Array) (err error) { origin, err = v.Int64s(); return }},
		{"xcoords", true, func(v data.Array) (err error) { r.X, err = v.Float64s(); return }},
		{"ycoords", true, func(v data.Array) (err error) { r.Y, err = v.Float64s(); return }},
		{"probe", true, func(v data.Array) (err error) { r.Probe, err = v.Complex64s(); return }},
		{"xcoords_start", false, func(v data.Array) (err error) { r.XStart, err = v.Float64s(); return }},
		{"ycoords_start", false, func(v data.Array) (err error) { r.YStart, err = v.Float64s(); return }},
		{"gain", false, func(v data.Array) (err error) { r.Gain, err = v.Float64s(); return }},
		{"background", false, func(v data.Array) (err error) { r.Background, err = v.Float32s(); return }},
	} {
		v, ok := a[f.key]
		if !ok && f.required {
			return nil, fmt.Errorf("%s: %s: expected in a reconstruction, not found; give the %s of an inference or a refinement", path, f.key, ReconstructionFile)
		}
		if !ok {
			continue
		}
		if err := f.convert(v); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.key, err)
		}
	}
	probe := a["probe"].Shape
	r.Modes = 1
	if len(probe) == 3 {
		r.Modes, probe = probe[0], probe[1:]
	}
	if len(probe) != 2 || probe[0] != probe[1] || r.Modes < 1 {
		return nil, fmt.Errorf("%s: probe: expected shape (N, N) or (modes, N, N), found %v", path, a["probe"].Shape)
	}
	r.N = probe[0]
	n := len(r.X)
	if len(r.Coverage) != len(r.Object.Pix) || len(origin) != 2 || len(r.Y) != n ||
		r.XStart != nil && (len(r.XStart) != n || len(r.YStart) != n) || r.Gain != nil && len(r.Gain) != n ||
		r.Background != nil && len(r.Background) != r.N*r.N {
		return nil, fmt.Errorf("%s: expected object and coverage of equal shape, an origin of two numbers and positions of equal number, "+
			"found object %v, coverage %v, origin %v, xcoords %v, ycoords %v", path, object.Shape, a["coverage"].Shape, a["origin"].Shape, a["xcoords"].Shape, a["ycoords"].Shape)
	}
	r.Origin = [2]int64{origin[0], origin[1]}
	return r, nil
}
