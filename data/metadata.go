package data

import (
	"encoding/json"
	"fmt"
)

const metadataKey = "_metadata"

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

// readMetadata reads the JSON under _metadata, of this program or of PtychoPINN.
func (l *loader) readMetadata() {
	a, ok := l.read(metadataKey, false)
	if !ok {
		return
	}
	texts, isText := a.Data.([]string)
	if !isText || len(texts) != 1 {
		l.problem(metadataKey, "one string of JSON", fmt.Sprintf("%d elements of type %s", a.Len(), elementName(a.Data)),
			"remove the key or store numpy.array(json.dumps(metadata))")
		return
	}
	m, err := parseMetadata(texts[0])
	if err != nil {
		l.problem(metadataKey, "JSON with the known fields", err.Error(), "correct or remove the key")
		return
	}
	l.ds.Metadata = m
	l.checkMetadata(m)
}

// parseMetadata reads Metadata; PtychoPINN's own files declare the dose at physics_parameters.nphotons.
func parseMetadata(text string) (Metadata, error) {
	var m struct {
		Metadata
		Physics struct {
			NPhotons float64 `json:"nphotons"`
		} `json:"physics_parameters"`
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return Metadata{}, err
	}
	if m.NPhotons == 0 {
		m.NPhotons = m.Physics.NPhotons
	}
	return m.Metadata, nil
}

func (l *loader) checkMetadata(m Metadata) {
	choice := func(name, v, a, b string) {
		if v != "" && v != a && v != b {
			l.problem(metadataKey, fmt.Sprintf("%s %q or %q", name, a, b), fmt.Sprintf("%q", v), "correct or remove the field")
		}
	}
	choice("domain", m.Domain, DomainCounts, DomainAmplitude)
	choice("layout", m.Layout, LayoutNHW, LayoutHWN)
	choice("dc", m.DC, DCCentre, DCCorner)
	for _, f := range []struct {
		name  string
		value float64
	}{{"nphotons", m.NPhotons}, {"dose", m.Dose}, {"amplitude_scale", m.AmplitudeScale}} {
		if f.value < 0 {
			l.problem(metadataKey, "a positive "+f.name, fmt.Sprint(f.value), "correct or remove the field")
		}
	}
}
