package optim

import (
	"errors"
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
	MinRate   float64 `json:"min_rate"`   // plateau: floor of the rate; a base rate below it stays as it is
	FloorFrac float64 `json:"floor_frac"` // cosine: final rate as a fraction of the base rate
}

// ScheduleNames lists the schedules.
func ScheduleNames() []string { return []string{"plateau", "constant", "exponential", "cosine"} }

// Validate returns all that is wrong with the fields that belong to the named schedule, which it calls by the
// names of their flags.
func (c *ScheduleConfig) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.Warmup >= 0, "lr_warmup_epochs %d is negative", c.Warmup)
	switch c.Name {
	case "constant":
	case "exponential":
		check(c.Factor > 0 && c.Factor <= 1, "lr_gamma %g is not in (0, 1]", c.Factor)
	case "cosine":
		check(c.FloorFrac >= 0 && c.FloorFrac <= 1, "lr_min_ratio %g is not in [0, 1]", c.FloorFrac)
	case "plateau":
		check(c.Factor > 0 && c.Factor < 1, "plateau_factor %g is not in (0, 1)", c.Factor)
		check(c.Patience >= 0, "plateau_patience %d is negative", c.Patience)
		check(c.MinRate >= 0 && !math.IsInf(c.MinRate, 0), "plateau_min_lr %g is negative or not finite", c.MinRate)
	default:
		check(false, "unknown schedule %q; there are %s", c.Name, strings.Join(ScheduleNames(), ", "))
	}
	return errors.Join(errs...)
}

// NewSchedule returns the schedule of cfg around a base rate, for a run of the given number of epochs. The
// error is all that is wrong with cfg and the rate.
func NewSchedule(cfg ScheduleConfig, base float64, epochs int) (Schedule, error) {
	err := cfg.Validate()
	if !(base > 0) || math.IsInf(base, 0) {
		err = errors.Join(fmt.Errorf("learning_rate %g is not positive and finite", base), err)
	}
	if err != nil {
		return nil, err
	}
	var s Schedule
	switch cfg.Name {
	case "constant":
		s = curve(func(int) float64 { return base })
	case "exponential":
		s = curve(func(e int) float64 { return base * math.Pow(cfg.Factor, float64(e)) })
	case "cosine":
		floor, span := base*cfg.FloorFrac, float64(max(1, epochs-cfg.Warmup))
		s = curve(func(e int) float64 {
			return floor + (base-floor)*(1+math.Cos(math.Pi*min(1, float64(e)/span)))/2
		})
	case "plateau":
		s = &plateau{factor: cfg.Factor, patience: cfg.Patience, floor: cfg.MinRate, rate: base, best: math.Inf(1)}
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
