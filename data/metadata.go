package data

import (
	"encoding/json"
	"fmt"
)

const metadataKey = "_metadata"

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
