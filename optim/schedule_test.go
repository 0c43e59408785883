package optim_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/optim"
)

func TestNewScheduleErrors(t *testing.T) {
	type config = optim.ScheduleConfig
	nan, inf := math.NaN(), math.Inf(1)
	for _, tt := range []struct {
		cfg  config
		base float64
		want []string // by line
	}{
		{config{Name: "step"}, 1, []string{`unknown schedule "step"; there are plateau, constant, exponential, cosine`}},
		{config{Name: "constant"}, 0, []string{"learning_rate 0 is not positive and finite"}},
		{config{Name: "constant"}, -1, []string{"learning_rate -1"}},
		{config{Name: "constant"}, inf, []string{"learning_rate +Inf"}},
		{config{Name: "constant"}, nan, []string{"learning_rate NaN"}},
		{config{Name: "constant", Warmup: -1}, 1, []string{"lr_warmup_epochs -1 is negative"}},
		{config{Name: "exponential", Factor: 1.5}, 1, []string{"lr_gamma 1.5 is not in (0, 1]"}},
		{config{Name: "exponential"}, 1, []string{"lr_gamma 0"}},
		{config{Name: "exponential", Factor: nan}, 1, []string{"lr_gamma NaN"}},
		{config{Name: "cosine", FloorFrac: -0.1}, 1, []string{"lr_min_ratio -0.1 is not in [0, 1]"}},
		{config{Name: "cosine", FloorFrac: 1.1}, 1, []string{"lr_min_ratio 1.1"}},
		{config{Name: "cosine", FloorFrac: nan}, 1, []string{"lr_min_ratio NaN"}},
		{config{Name: "plateau", Factor: 1}, 1, []string{"plateau_factor 1 is not in (0, 1)"}},
		{config{Name: "plateau", Factor: nan}, 1, []string{"plateau_factor NaN"}},
		{config{Name: "plateau", Factor: 0.5, Patience: -2}, 1, []string{"plateau_patience -2 is negative"}},
		{config{Name: "plateau", Factor: 0.5, MinRate: -1e-4}, 1, []string{"plateau_min_lr -0.0001 is negative or not finite"}},
		{config{Name: "plateau", Factor: 0.5, MinRate: inf}, 1, []string{"plateau_min_lr +Inf"}},
		{config{Name: "plateau", Factor: 0.5, MinRate: nan}, 1, []string{"plateau_min_lr NaN"}},
		{
			config{Name: "plateau", Warmup: -1, Patience: -1, MinRate: -1},
			0,
			[]string{"learning_rate 0", "lr_warmup_epochs -1", "plateau_factor 0", "plateau_patience -1", "plateau_min_lr -1"},
		},
	} {
		_, err := optim.NewSchedule(tt.cfg, tt.base, 10)
		require.Error(t, err, "%+v", tt)
		lines := strings.Split(err.Error(), "\n")
		require.Len(t, lines, len(tt.want), "%v", err)
		for i, want := range tt.want {
			require.Contains(t, lines[i], want)
		}
	}
}

func TestScheduleIgnoresTheFieldsOfOthers(t *testing.T) {
	bad := optim.ScheduleConfig{Factor: 1, Patience: -1, MinRate: math.NaN(), FloorFrac: math.Inf(1)}
	for _, name := range []string{"constant", "exponential"} {
		bad.Name = name
		require.NoError(t, bad.Validate(), name)
	}
	bad.Name, bad.Factor, bad.FloorFrac = "cosine", math.NaN(), 0
	require.NoError(t, bad.Validate())
	require.NoError(t, (&optim.ScheduleConfig{Name: "plateau", Factor: 0.5, MinRate: 5, FloorFrac: -1}).Validate(), "a floor above the base rate")
}
