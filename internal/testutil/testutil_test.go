package testutil_test

import (
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ptycho/internal/testutil"
)

// recorder is a testing.TB that keeps the first failure instead of failing the test.
type recorder struct {
	testing.TB
	message string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	if r.message == "" {
		r.message = fmt.Sprintf(format, args...)
	}
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// failure returns what f reports as a failure, or nothing.
func failure(f func(t testing.TB)) string {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.message
}

func TestUniformIsSplitMix64(t *testing.T) {
	// The first outputs of SplitMix64 with seed 0 are 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, …
	outputs := []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4}
	require.Equal(t, []float64{float64(outputs[0]>>11) * 0x1p-53, float64(outputs[1]>>11) * 0x1p-53},
		testutil.Uniform(0, 2))
	mean := 0.0
	for _, v := range testutil.Signed(7, 10000) {
		require.True(t, v >= -1 && v <= 1)
		mean += float64(v) / 10000
	}
	require.Less(t, math.Abs(mean), 0.03)
}

// The weights drawn here must be the weights that the networks were computed with.
func TestNetworkParamMatchesGolden(t *testing.T) {
	for _, file := range []string{"network_n64_gs1.npz", "network_n64_gs2_modes2.npz", "network_n128_gs1.npz"} {
		f := testutil.Golden(t, file)
		for i, name := range []string{"encoder.0.conv1.weight", "encoder.0.conv1.bias", "encoder.0.conv2.weight"} {
			v := testutil.NetworkParam(f.Int("weight_seed"), i, f.Ints("param."+name+".shape"))
			require.InEpsilon(t, f.Float("param."+name+".norm"), testutil.Norm(v), 1e-9, "%s %s", file, name)
		}
	}
}

func TestFileReadsKeys(t *testing.T) {
	f := testutil.Golden(t, "network_n64_gs2.npz")
	require.True(t, f.Has("loss"))
	require.False(t, f.Has("nothing"))
	require.Equal(t, 76, f.Int("canvas"))
	require.Equal(t, []int{1, 4, 2}, f.Shape("offsets"))
	require.Len(t, f.Float64s("offsets"), 8)
	counts := f.Float64s("counts")
	require.InEpsilon(t, testutil.Dot(counts, ones(len(counts)))/float64(len(counts)), f.Float("mean_count"), 1e-7)
	re, im := f.Planes("probe")
	probe := f.Complex64s("probe")
	require.Equal(t, probe[2080], complex(re[2080], im[2080]))
	v, b, h, w, c := f.NHWC("x")
	require.Equal(t, [4]int{1, 64, 64, 4}, [4]int{b, h, w, c})
	require.Equal(t, f.Float32s("x"), testutil.NCHW(v, b, h, w, c))
}

func ones(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

func TestFileFailures(t *testing.T) {
	tests := map[string]struct {
		f    func(f *testutil.File)
		want string
	}{
		"missing key": {func(f *testutil.File) { f.Array("nothing") }, `merge.npz has no "nothing"`},
		"type":        {func(f *testutil.File) { f.Float32s("probe") }, `"probe"`},
		"scalar":      {func(f *testutil.File) { f.Float("weight") }, "64 elements, not one"},
		"rank":        {func(f *testutil.File) { f.NHWC("weight") }, "not [B,C,H,W]"},
		"fraction":    {func(f *testutil.File) { f.Ints("offsets") }, `"offsets"`},
	}
	for name, tt := range tests {
		got := failure(func(tb testing.TB) { tt.f(testutil.Golden(tb, "merge.npz")) })
		require.Contains(t, got, tt.want, name)
	}
	require.Contains(t, failure(func(tb testing.TB) { testutil.Golden(tb, "absent.npz") }), "absent.npz")
	t.Chdir(filepath.VolumeName(t.TempDir()) + string(filepath.Separator))
	require.Contains(t, failure(func(tb testing.TB) { testutil.Golden(tb, "merge.npz") }), "no go.mod")
}

func TestLayoutOrder(t *testing.T) {
	// two channels of 1×3 pixels
	require.Equal(t, []int{0, 10, 1, 11, 2, 12}, testutil.NHWC([]int{0, 1, 2, 10, 11, 12}, 1, 2, 1, 3))
	require.Equal(t, []int{0, 1, 2, 10, 11, 12}, testutil.NCHW([]int{0, 10, 1, 11, 2, 12}, 1, 1, 3, 2))
	require.Panics(t, func() { testutil.NHWC([]int{1}, 1, 2, 1, 1) })
}

func TestClose(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name       string
		got, want  []float64
		rtol, atol float64
		message    string
	}{
		{"equal", []float64{1, 0}, []float64{1, 0}, 0, 0, ""},
		{"within rtol", []float64{101}, []float64{100}, 0.011, 0, ""},
		{"within atol", []float64{0.5}, []float64{0}, 0, 0.5, ""},
		{"beyond rtol", []float64{1, 102, 110}, []float64{1, 100, 100}, 0.01, 0, "2 of 3 elements differ"},
		{"names the worst", []float64{1, 120, 110}, []float64{1, 100, 100}, 0.01, 0, "worst at [1]: got 120, want 100"},
		{"NaN", []float64{9, nan}, []float64{1, 1}, 0.1, 0, "worst at [1]: got NaN"},
		{"length", []float64{1}, []float64{1, 2}, 1, 1, "1 elements, want 2"},
	}
	for _, tt := range tests {
		got := failure(func(tb testing.TB) { testutil.Close(tb, tt.got, tt.want, tt.rtol, tt.atol, tt.name) })
		checkMessage(t, tt.name, tt.message, got)
	}
}

func TestCloseNorm(t *testing.T) {
	tests := []struct {
		name    string
		got     []float32
		rtol    float64
		message string
	}{
		{"equal", []float32{3, 4}, 0, ""},
		{"within", []float32{3, 4.4}, 0.081, ""},
		{"beyond", []float32{3, 4.5}, 0.09, "worst at [1]: got 4.5, want 4"},
		{"NaN", []float32{float32(math.NaN()), 4}, 1, "worst at [0]"},
		{"length", []float32{3}, 1, "1 elements, want 2"},
	}
	for _, tt := range tests {
		got := failure(func(tb testing.TB) { testutil.CloseNorm(tb, tt.got, []float64{3, 4}, tt.rtol, tt.name) })
		checkMessage(t, tt.name, tt.message, got)
	}
	require.Panics(t, func() { testutil.Dot([]float32{1}, []float32{1, 2}) })
}

func checkMessage(t *testing.T, name, want, got string) {
	t.Helper()
	if want == "" {
		require.Empty(t, got, name)
		return
	}
	require.Contains(t, got, want, name)
	require.True(t, strings.Contains(got, name), "the message should say what was compared: %s", got)
}

func TestCloseParamGradient(t *testing.T) {
	// The bias of a head at gridsize 2 is stored whole, so the file holds a complete gradient to compare with.
	const tensor, name = 21, "amplitude.centre.bias"
	f := testutil.Golden(t, "network_n64_gs2.npz")
	require.Equal(t, []int{0, 1, 2, 3}, f.Ints("grad."+name+".index"))
	gradient := f.Float32s("grad." + name + ".values")
	check := func(i int, g []float32) string {
		return failure(func(tb testing.TB) {
			testutil.Golden(tb, "network_n64_gs2.npz").CloseParamGradient(i, name, g, 1e-5)
		})
	}
	require.Empty(t, check(tensor, gradient))
	require.Contains(t, check(tensor+1, gradient), "projections")
	doubled := make([]float32, len(gradient))
	for i, v := range gradient {
		doubled[i] = 2 * v
	}
	require.Contains(t, check(tensor, doubled), "norm")
	require.Contains(t, check(tensor, gradient[:3]), "norm")
}
