package data

// Select returns a dataset of the given frames only, in that order. Probe and object are shared with d, and so is the file that
// frames are read from. The dose stays that of the whole scan, so that the unit of a frame does not depend on which others are used.
func (d *Dataset) Select(frames []int) *Dataset {
	s := *d
	pix := d.N * d.N
	s.X, s.Y = pick(d.X, frames), pick(d.Y, frames)
	s.XStart, s.YStart, s.ScanIndex = pick(d.XStart, frames), pick(d.YStart, frames), pick(d.ScanIndex, frames)
	s.Frames, s.Patches = nil, nil
	if d.stream != nil {
		index := make([]int, len(frames))
		for i, f := range frames {
			index[i] = d.stream.number(f)
		}
		s.stream = &stream{reader: d.stream.reader, index: index, closer: d.stream.closer}
	} else {
		s.Frames = make(Intensity, 0, len(frames)*pix)
	}
	for _, f := range frames {
		if d.stream == nil {
			s.Frames = append(s.Frames, d.Frame(f)...)
		}
		if d.Patches != nil {
			s.Patches = append(s.Patches, d.Patches[f*pix:][:pix]...)
		}
	}
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
