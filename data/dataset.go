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

	// X and Y are the positions of the probe centre in object pixels: X the column, Y the row.
	// Frame j sees object rows Y[j]-N/2 … Y[j]+N/2-1 and columns X[j]-N/2 … X[j]+N/2-1.
	X, Y           []float64
	XStart, YStart []float64 // nominal positions, nil when the file has none
	ScanIndex      []int64   // which scan each frame belongs to, nil when the file has none

	Probe []complex64 // Modes × N × N, centred, in the file's own unit
	Modes int         // incoherent probe modes

	Object  *Image      // the known object in its own frame, nil when unknown
	Patches []complex64 // Len() × N × N ground-truth patches (key Y), nil when the file has none

	// Dose is the mean number of photons in a frame, ΣFrames / Len().
	Dose float64
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

// Metadata is what a dataset file says of itself, stored as a JSON string under the key _metadata.
// Absent fields are zero.
type Metadata struct {
	Format    string  `json:"format,omitempty"`    // "ptycho-dataset"
	Generator string  `json:"generator,omitempty"` // program and version that wrote the file
	Domain    string  `json:"domain,omitempty"`    // "counts" or "amplitude"
	DC        string  `json:"dc,omitempty"`        // "centre" or "corner"
	Layout    string  `json:"layout,omitempty"`    // "nhw" or "hwn", axes of the frames
	NPhotons  float64 `json:"nphotons,omitempty"`  // declared mean photons a frame
	Dose      float64 `json:"dose,omitempty"`      // measured mean photons a frame
	DoseFrom  string  `json:"dose_from,omitempty"` // how Dose is known, as in Dataset
	Seed      *uint64 `json:"seed,omitempty"`      // seed of a simulation
	Notes     string  `json:"notes,omitempty"`

	// AmplitudeScale times a stored amplitude is √photons; zero when the unit is not known.
	AmplitudeScale float64 `json:"amplitude_scale,omitempty"`
}

// MeanFrame returns the mean of all frames in memory, N×N, DC at [N/2, N/2].
func (d *Dataset) MeanFrame() []float64 {
	mean := make([]float64, d.N*d.N)
	for i, v := range d.Frames {
		mean[i%len(mean)] += float64(v)
	}
	for i := range mean {
		mean[i] /= float64(max(1, d.Len()))
	}
	return mean
}
