package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDifferences(t *testing.T) {
	const then = `{"seed": 1, "loss": {"name": "poisson", "weight": 1}}`
	require.Equal(t, "loss.name: then poisson, now amplitude; seed: then 1, now 2", Differences(then, `{"seed": 2, "loss": {"name": "amplitude", "weight": 1}}`))
	require.Equal(t, "by another version of the program", Differences(then, then))
	require.Equal(t, "it cannot be read", Differences("nonsense", then))
}
