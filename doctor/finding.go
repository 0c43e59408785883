package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Severity is how much a finding matters.
type Severity int

// The severities. Training on a scan with a fatal finding would be pointless.
const (
	OK Severity = iota
	Note
	Warn
	Fatal
)

var severityNames = [...]string{"ok", "note", "warn", "fatal"}

// String returns the name, as in "warn".
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityNames) {
		return fmt.Sprintf("Severity(%d)", int(s))
	}
	return severityNames[s]
}

// MarshalText returns the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes a name. The error names all of them.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severityNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("severity %q is none of %s", text, strings.Join(severityNames[:], ", "))
	}
	*s = Severity(i)
	return nil
}

// Finding is what one check came to.
type Finding struct {
	Name     string   `json:"name"` // of the check
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`             // one sentence, with figures
	Remedy   string   `json:"remedy,omitempty"` // empty where there is nothing to do
}

// Orientation is the right way round as trials tell it.
type Orientation struct {
	Frames string `json:"frames"` // what is to be done to the frames, a name of data.ParseOrientation
	Flags  string `json:"flags"`  // that turn the positions, as in "--flip_y --swap_xy", empty for none
	Pair   bool   `json:"pair"`   // or that and half a turn, which cannot be told apart
}

// say adds a finding.
func (r *Report) say(name string, s Severity, remedy, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Name: name, Severity: s, Text: fmt.Sprintf(format, args...), Remedy: remedy})
}
