package train

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"ptycho/internal/atomicfile"
)

// HistoryFile is the name of the table of epochs in a run directory.
const HistoryFile = "history.csv"

// Epoch is one line of the history. Losses are means over groups; excesses are nats a pixel above the
// smallest possible Poisson negative log-likelihood.
type Epoch struct {
	Epoch             int     `json:"epoch"` // counted from 1
	TrainLoss         float64 `json:"train_loss"`
	ValLoss           float64 `json:"val_loss"` // NaN without a validation set
	Excess            float64 `json:"excess_nll"`
	ValExcess         float64 `json:"val_excess_nll"` // NaN without a validation set
	LearningRate      float64 `json:"learning_rate"`
	GradNorm          float64 `json:"grad_norm"` // the largest before clipping
	Seconds           float64 `json:"seconds"`
	PatternsPerSecond float64 `json:"patterns_per_second"`
}

// History is the table of all epochs so far.
type History []Epoch

var historyColumns = []string{
	"epoch", "train_loss", "val_loss", "excess_nll", "val_excess_nll",
	"learning_rate", "grad_norm", "seconds", "patterns_per_second",
}

func (e *Epoch) fields() []*float64 {
	return []*float64{
		&e.TrainLoss, &e.ValLoss, &e.Excess, &e.ValExcess, &e.LearningRate, &e.GradNorm, &e.Seconds, &e.PatternsPerSecond,
	}
}

// timeless is how many of the fields, the first ones, are the same in equal runs; the others are times.
const timeless = 6

// values returns the timeless fields of all epochs, [epochs, timeless].
func (h History) values() []float64 {
	v := make([]float64, 0, len(h)*timeless)
	for i := range h {
		for _, f := range h[i].fields()[:timeless] {
			v = append(v, *f)
		}
	}
	return v
}

// historyOf returns the epochs whose timeless fields are v. Their times are unknown, NaN.
func historyOf(v []float64) History {
	h := make(History, len(v)/timeless)
	for i := range h {
		h[i] = Epoch{Epoch: i + 1, Seconds: math.NaN(), PatternsPerSecond: math.NaN()}
		for k, f := range h[i].fields()[:timeless] {
			*f = v[i*timeless+k]
		}
	}
	return h
}

// Pairs returns the line as column names and values in turn; values that are not finite are left out, which
// JSON cannot hold.
func (e *Epoch) Pairs() []any {
	kv := []any{historyColumns[0], e.Epoch}
	for i, v := range e.fields() {
		if !math.IsNaN(*v) && !math.IsInf(*v, 0) {
			kv = append(kv, historyColumns[i+1], *v)
		}
	}
	return kv
}

// Record returns the line as a map from column names to values, without those that are not finite.
func (e *Epoch) Record() map[string]any {
	r, kv := map[string]any{}, e.Pairs()
	for i := 0; i < len(kv); i += 2 {
		r[kv[i].(string)] = kv[i+1]
	}
	return r
}

// Write stores the table at path.
func (h History) Write(path string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		rows := [][]string{historyColumns}
		for _, e := range h {
			row := []string{strconv.Itoa(e.Epoch)}
			for _, v := range e.fields() {
				row = append(row, strconv.FormatFloat(*v, 'g', -1, 64))
			}
			rows = append(rows, row)
		}
		return c.WriteAll(rows)
	})
}

// ReadHistory reads the table of a run directory.
func ReadHistory(dir string) (History, error) {
	path := filepath.Join(dir, HistoryFile)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = len(historyColumns)
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var h History
	for i, row := range rows[min(1, len(rows)):] {
		var e Epoch
		if e.Epoch, err = strconv.Atoi(row[0]); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, i+2, err)
		}
		for k, v := range e.fields() {
			if *v, err = strconv.ParseFloat(row[k+1], 64); err != nil {
				return nil, fmt.Errorf("%s: line %d: %w", path, i+2, err)
			}
		}
		h = append(h, e)
	}
	return h, nil
}
