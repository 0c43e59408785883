package optim

import (
	"fmt"
	"math"
	"strings"
)

// Schedule gives the learning rate of every epoch.
type Schedule interface {
	// Rate returns the learning rate of the given epoch, counted from 0.
	Rate(epoch int) float64
	// Observe takes note of the validation loss at the end of an epoch.
	Observe(loss float64)
	// State returns what a resumed run needs to go on; Restore takes it back.
	State() []float64
	Restore(state []float64) error
}

// ScheduleConfig describes a schedule. Fields that do not belong to Name are ignored.
type ScheduleConfig struct {
	Name      string  `json:"name"`       // one of ScheduleNames
	Warmup    int     `json:"warmup"`     // epochs of linear warm-up before any of them
	Factor    float64 `json:"factor"`     // plateau: what the rate is multiplied with; exponential: every epoch
	Patience  int     `json:"patience"`   // plateau: epochs without improvement that are waited for
	MinRate   float64 `json:"min_rate"`   // plateau: floor of the rate
	FloorFrac float64 `json:"floor_frac"` // cosine: final rate as a fraction of the base rate
}

// ScheduleNames lists the schedules.
func ScheduleNames() []string { return []string{"plateau", "constant", "exponential", "cosine"} }

// NewSchedule returns the schedule of cfg around a base rate, for a run of the given number of epochs.
func NewSchedule(cfg ScheduleConfig, base float64, epochs int) (Schedule, error) {
	if base <= 0 || math.IsInf(base, 0) || math.IsNaN(base) {
		return nil, fmt.Errorf("learning rate %g is not positive", base)
	}
	var s Schedule
	switch cfg.Name {
	case "constant":
		s = curve(func(int) float64 { return base })
	case "exponential":
		if cfg.Factor <= 0 || cfg.Factor > 1 {
			return nil, fmt.Errorf("exponential schedule: factor %g is not in (0, 1]", cfg.Factor)
		}
		s = curve(func(e int) float64 { return base * math.Pow(cfg.Factor, float64(e)) })
	case "cosine":
		floor, span := base*cfg.FloorFrac, float64(max(1, epochs-cfg.Warmup))
		s = curve(func(e int) float64 {
			return floor + (base-floor)*(1+math.Cos(math.Pi*min(1, float64(e)/span)))/2
		})
	case "plateau":
		if cfg.Factor <= 0 || cfg.Factor >= 1 {
			return nil, fmt.Errorf("plateau schedule: factor %g is not in (0, 1)", cfg.Factor)
		}
		s = &plateau{factor: cfg.Factor, patience: cfg.Patience, floor: cfg.MinRate, rate: base, best: math.Inf(1)}
	default:
		return nil, fmt.Errorf("unknown schedule %q; there are %s", cfg.Name, strings.Join(ScheduleNames(), ", "))
	}
	if cfg.Warmup > 0 {
		s = &warmup{Schedule: s, epochs: cfg.Warmup}
	}
	return s, nil
}

// curve is a schedule that depends on the epoch alone.
type curve func(epoch int) float64

func (c curve) Rate(epoch int) float64 { return c(epoch) }
func (curve) Observe(float64)          {}
func (curve) State() []float64         { return nil }
func (curve) Restore(s []float64) error {
	if len(s) != 0 {
		return fmt.Errorf("schedule state of %d values, expected none", len(s))
	}
	return nil
}

// plateau multiplies the rate with factor after more than patience epochs without a new best loss,
// not below floor.
type plateau struct {
	factor, floor float64
	patience      int

	rate, best float64
	stale      int
}

func (p *plateau) Rate(int) float64 { return p.rate }

func (p *plateau) Observe(loss float64) {
	if loss < p.best {
		p.best, p.stale = loss, 0
		return
	}
	if p.stale++; p.stale > p.patience {
		p.rate, p.stale = max(p.rate*p.factor, min(p.floor, p.rate)), 0
	}
}

func (p *plateau) State() []float64 { return []float64{p.rate, p.best, float64(p.stale)} }

func (p *plateau) Restore(s []float64) error {
	if len(s) != 3 {
		return fmt.Errorf("plateau schedule state of %d values, expected 3", len(s))
	}
	p.rate, p.best, p.stale = s[0], s[1], int(s[2])
	return nil
}

// warmup raises the rate linearly over its epochs, to its full value in the last of them, then hands over to the
// schedule it wraps.
type warmup struct {
	Schedule
	epochs int
}

func (w *warmup) Rate(epoch int) float64 {
	if epoch < w.epochs {
		return w.Schedule.Rate(0) * float64(epoch+1) / float64(w.epochs)
	}
	return w.Schedule.Rate(epoch - w.epochs)
}
