package data

// Select returns a dataset of the given frames only, in that order. Probe and object are shared with d.
func (d *Dataset) Select(frames []int) *Dataset {
	s := *d
	pix := d.N * d.N
	s.X, s.Y = pick(d.X, frames), pick(d.Y, frames)
	s.XStart, s.YStart, s.ScanIndex = pick(d.XStart, frames), pick(d.YStart, frames), pick(d.ScanIndex, frames)
	s.Frames = make(Intensity, 0, len(frames)*pix)
	s.Patches = nil
	total := 0.0
	for _, f := range frames {
		s.Frames = append(s.Frames, d.Frame(f)...)
		for _, v := range d.Frame(f) {
			total += float64(v)
		}
		if d.Patches != nil {
			s.Patches = append(s.Patches, d.Patches[f*pix:][:pix]...)
		}
	}
	s.Dose = total / float64(max(1, len(frames)))
	return &s
}

func pick[T any](v []T, index []int) []T {
	if v == nil {
		return nil
	}
	out := make([]T, len(index))
	for i, k := range index {
		out[i] = v[k]
	}
	return out
}
