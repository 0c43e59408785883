package train

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/model"
)

func TestPoolReportsFailures(t *testing.T) {
	p := newPool(3, func() *model.Pass { return nil })
	defer p.close()
	bad := errors.New("a frame cannot be read")
	done := make([]bool, 10)
	require.ErrorIs(t, p.run(len(done), func(_ *model.Pass, _ *model.Sample, i int) error {
		done[i] = true
		if i == 4 {
			return bad
		}
		return nil
	}), bad)
	require.NotContains(t, done, false, "the other jobs are done all the same")
	require.NoError(t, p.run(2, func(*model.Pass, *model.Sample, int) error { return nil }), "and the failure is forgotten")
}
