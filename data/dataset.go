package data

// Image is a complex image of Rows × Cols pixels, row-major.
type Image struct {
	Rows, Cols int
	Pix        []complex64
}

// Dataset is one ptychographic scan in the one form that the rest of the program knows, whatever the
// layout, dtype, unit and origin of the file it came from.
type Dataset struct {
	Path string // where it was read from; empty for a simulated one
	N    int    // side of a frame, pixels (= side of the probe)

	// Frames holds Len() frames of N×N photon counts, frame-major then row-major, with the direct beam
	// (DC) at element [N/2, N/2]. It is nil when there are none, and when they are left in the file.
	Frames Intensity

	// Mask marks the pixels that were not measured in any frame, N×N, DC at [N/2, N/2], true = not measured; nil when
	// there are none. Frames are zero there.
	Mask []bool

	// X and Y are the positions of the probe centre in object pixels: X the column, Y the row.
	// Frame j sees object rows Y[j]-N/2 … Y[j]+N/2-1 and columns X[j]-N/2 … X[j]+N/2-1.
	X, Y           []float64
	XStart, YStart []float64 // nominal positions, nil when the file has none
	ScanIndex      []int64   // which scan each frame belongs to, nil when the file has none

	Probe []complex64 // Modes × N × N, centred, in the file's own unit
	Modes int         // incoherent probe modes

	Object    *Image      // the known object in its own frame, nil when unknown
	ObjectKey string      // its name in the file, empty when there is none
	Patches   []complex64 // Len() × N × N ground-truth patches (key Y), nil when the file has none

	// Dose is the mean number of photons in a frame of the whole scan, also in what Select makes of it.
	Dose float64
	// Peak is the largest number of photons in a pixel of the whole scan, which Load measures.
	Peak float32
	// DoseFrom says how Dose is known: "measured" (the file holds counts), "declared" (metadata or flag)
	// or "assumed" (an amplitude in an unknown unit, taken as DefaultDose, or an intensity in an unknown
	// unit, left as it is).
	DoseFrom string

	Domain   string   // what the file held: "counts" or "amplitude"
	Metadata Metadata // what the file says of itself
	Notes    []string // what was detected or assumed while reading, one sentence each

	stream *stream // of the frames that are left in the file, else nil
}

// DefaultDose is the number of photons a frame that is assumed when neither the data nor its metadata
// tell, the original program's default.
const DefaultDose = 1e9

// Len returns the number of frames.
func (d *Dataset) Len() int { return len(d.X) }

// Frame returns frame i, N×N photon counts, DC at [N/2, N/2], of those in memory. It shares memory with d.
func (d *Dataset) Frame(i int) Intensity { return d.Frames[i*d.N*d.N : (i+1)*d.N*d.N] }

// MeanFrame returns the mean of all frames, N×N, DC at [N/2, N/2]. It panics when they are not in memory.
func (d *Dataset) MeanFrame() []float64 {
	if !d.InMemory() {
		panic("data: the frames to average are not in memory")
	}
	mean := make([]float64, d.N*d.N)
	for i, v := range d.Frames {
		mean[i%len(mean)] += float64(v)
	}
	for i := range mean {
		mean[i] /= float64(max(1, d.Len()))
	}
	return mean
}
