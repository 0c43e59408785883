package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func golden(name string) string { return filepath.Join("testdata", "npy", name) }

// goldenValues returns what testdata/npy/gen.py put into the array of the given dtype.
func goldenValues(kind string) any {
	const n = 24
	index := make([]int, n)
	for k := range index {
		index[k] = k
	}
	switch kind {
	case "f2", "f4":
		return apply(index, func(k int) float32 { return float32(k)/2 - 3 })
	case "f8":
		return apply(index, func(k int) float64 { return float64(k)/2 - 3 })
	case "c8":
		return apply(index, func(k int) complex64 { return complex(float32(k)/2-3, float32(k-7)) })
	case "c16":
		return apply(index, func(k int) complex128 { return complex(float64(k)/2-3, float64(k-7)) })
	case "i1":
		return apply(index, func(k int) int8 { return int8(k - 5) })
	case "i2":
		return apply(index, func(k int) int16 { return int16(k - 5) })
	case "i4":
		return apply(index, func(k int) int32 { return int32(k - 5) })
	case "i8":
		return apply(index, func(k int) int64 { return int64(k - 5) })
	case "u1":
		return apply(index, func(k int) uint8 { return uint8(k) })
	case "u2":
		return apply(index, func(k int) uint16 { return uint16(k) })
	case "u4":
		return apply(index, func(k int) uint32 { return uint32(k) })
	case "u8":
		return apply(index, func(k int) uint64 { return uint64(k) })
	case "b1":
		return apply(index, func(k int) bool { return k%3 == 0 })
	case "U3":
		return apply(index, func(k int) string { return fmt.Sprintf("é%d", k) })
	case "S3":
		return apply(index, func(k int) string { return fmt.Sprintf("s%d", k) })
	}
	panic("no golden dtype " + kind)
}

func TestReadGoldenDtypes(t *testing.T) {
	z, err := OpenNPZ(golden("dtypes.npz"))
	require.NoError(t, err)
	defer z.Close()
	headers := z.Headers()
	require.Len(t, headers, 16*2*2)
	for _, h := range headers {
		kind, _, _ := strings.Cut(h.Name, "_")
		a, err := z.Read(h.Name)
		require.NoError(t, err, h.Name)
		require.Equal(t, h.Name, a.Name)
		require.Equal(t, []int{2, 3, 4}, a.Shape, h.Name)
		require.Equal(t, goldenValues(kind), a.Data, h.Name)
		require.Equal(t, strings.HasSuffix(h.Name, "_F"), h.Fortran, h.Name)
	}
}

func TestReadGoldenShapes(t *testing.T) {
	arrays, err := ReadNPZ(golden("shapes.npz"))
	require.NoError(t, err)
	require.Equal(t, Array{Name: "scalar", Data: []float64{2.5}}, arrays["scalar"])
	require.Equal(t, 1, arrays["scalar"].Len())
	require.Equal(t, Array{"one", []int{1}, []int32{7}}, arrays["one"])
	require.Equal(t, Array{"empty", []int{0, 64, 64}, []float32{}}, arrays["empty"])
	for _, name := range []string{"v2", "v3"} {
		require.Equal(t, goldenValues("f4"), arrays[name].Data, name)
	}
	for _, name := range []string{"text", "bytes"} {
		require.Equal(t, []string{`{"domain": "counts"}`}, arrays[name].Data, name)
	}
	for name, want := range map[string][]float64{
		"halves":  {0, 0x1p-24, 1, -2, 65504, math.Inf(1), math.Inf(-1), math.NaN()},
		"special": {math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)},
	} {
		got, err := arrays[name].Float64s()
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, math.IsNaN(want[i]), math.IsNaN(got[i]), "%s[%d]", name, i)
			if !math.IsNaN(want[i]) {
				require.Equal(t, math.Float64bits(want[i]), math.Float64bits(got[i]), "%s[%d]", name, i)
			}
		}
	}
}

func TestReadSavez(t *testing.T) {
	for _, name := range []string{"savez.npz", "savez_compressed.npz"} {
		arrays, err := ReadNPZ(golden(name))
		require.NoError(t, err)
		require.Equal(t, map[string]Array{
			"diffraction": {"diffraction", []int{2, 3, 4}, goldenValues("u2")},
			"x":           {"x", []int{3}, []float64{0, 1, 2}},
		}, arrays)
	}
}

func TestReadPickles(t *testing.T) {
	z, err := OpenNPZ(golden("pickles.npz"))
	require.NoError(t, err)
	defer z.Close()
	for p := range 6 {
		for name, want := range map[string]string{
			"str": "{\"note\": \"µ€\\u\"}", "long": strings.Repeat("x", 70000), "bare": "bare",
		} {
			a, err := z.Read(fmt.Sprintf("%s_p%d", name, p))
			require.NoError(t, err, "%s protocol %d", name, p)
			require.Equal(t, []string{want}, a.Data, "%s protocol %d", name, p)
		}
	}
	for name, want := range map[string]string{"python2": "it's \xe9", "python2_bin": "text"} {
		a, err := z.Read(name)
		require.NoError(t, err, name)
		require.Equal(t, []string{want}, a.Data)
	}
	for name, found := range map[string]string{
		"dict":        "opcode",
		"call":        "os.system",
		"list":        "object array of shape [2]",
		"record":      "structured dtype",
		"date":        `"<M8[D]"`,
		"long_double": `"<f16"`,
	} {
		_, err := z.Read(name)
		var p Problem
		require.ErrorAs(t, err, &p, name)
		require.Equal(t, name, p.Key)
		require.Contains(t, p.Found, found, name)
		require.NotEmpty(t, p.Remedy)
	}
}

func TestUnpickleDamaged(t *testing.T) {
	for _, raw := range []string{
		"", ".", "N.", "X\x05\x00\x00\x00ab.", "X\x05\x00", "Sab\n.", "S'ab", "V\\u12\n.", "V\\uzzzz\n.", "S'\\q'\n.",
		"h\x01.", "gx\n.", "q\x00.", "j\x00", "t.", "\x85.", "a.", "Na.", "NNa.", "R.", "NNb.", "b.", "cnumpy\n", "\x93.",
		"NN\x93.", "\x8a", "\x8a\x05a", "\x80", "\x95aa", "K", "I1", "(.", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "]e.", "Q.",
	} {
		_, err := unpickleString([]byte(raw))
		require.Error(t, err, "%q", raw)
	}
}

// npyBytes makes an NPY stream with any header text and payload.
func npyBytes(version byte, text string, payload []byte) []byte {
	b := append([]byte(npyMagic), version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	}
	return append(append(b, text...), payload...)
}

func readBytes(b []byte) (Array, error) { return readNPY(bytes.NewReader(b), int64(len(b))) }

func TestHeaderVariants(t *testing.T) {
	payload := []byte{1, 0, 2, 0}
	for _, text := range []string{
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }\n",
		"{'descr': '<u2', 'fortran_order': False, 'shape': (2,)}",
		"{\"shape\":(2L,),\"descr\":\"<u2\",\"fortran_order\":True}   \n",
		" { 'fortran_order' : False ,\n 'shape' : ( 2 , ) , 'descr' : 'u2' } \r\n\t",
	} {
		for _, version := range []byte{1, 2, 3} {
			a, err := readBytes(npyBytes(version, text, payload))
			require.NoError(t, err, text)
			require.Equal(t, Array{Shape: []int{2}, Data: []uint16{1, 2}}, a, text)
		}
	}
}

func TestHeaderErrors(t *testing.T) {
	good := "{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }\n"
	payload := []byte{1, 0, 2, 0}
	shape := func(s string) []byte {
		return npyBytes(1, strings.Replace(good, "(2,)", s, 1), payload)
	}
	descr := func(s string) []byte {
		return npyBytes(1, strings.Replace(good, "'<u2'", s, 1), payload)
	}
	for name, c := range map[string]struct {
		raw   []byte
		found string
	}{
		"nothing":            {nil, "truncated"},
		"magic only":         {[]byte(npyMagic), "truncated"},
		"other magic":        {[]byte("PK\x03\x04...................."), "instead of the NPY magic"},
		"version 9":          {npyBytes(9, good, payload), "NPY version 9"},
		"no length":          {[]byte(npyMagic + "\x01\x00\x01"), "truncated"},
		"short header":       {[]byte(npyMagic + "\x01\x00\x40\x00{'descr"), "truncated"},
		"giant header":       {[]byte(npyMagic + "\x02\x00\xff\xff\xff\x7f"), "a header of 2147483647 bytes"},
		"empty dict":         {npyBytes(1, "{}", payload), `no "descr"`},
		"no dict":            {npyBytes(1, "(2,)", payload), `where "{"`},
		"empty header":       {npyBytes(1, "", payload), `where "{"`},
		"key missing":        {npyBytes(1, "{'descr': '<u2', 'shape': (2,)}", payload), `no "fortran_order"`},
		"key twice":          {npyBytes(1, "{'descr': '<u2', 'descr': '<u2'}", payload), "twice"},
		"key unknown":        {npyBytes(1, "{'order': 'C'}", payload), "unknown header key"},
		"key unquoted":       {npyBytes(1, "{descr: '<u2'}", payload), "quoted string"},
		"string open":        {npyBytes(1, "{'descr", payload), "unclosed"},
		"no colon":           {npyBytes(1, "{'descr' '<u2'}", payload), `where ":"`},
		"no comma":           {npyBytes(1, "{'descr': '<u2' 'shape': (2,)}", payload), `where "}"`},
		"rubbish behind":     {npyBytes(1, strings.TrimSpace(good)+"x", payload), "after the header"},
		"order a number":     {npyBytes(1, strings.Replace(good, "False", "0", 1), payload), "fortran_order"},
		"negative":           {shape("(-2,)"), "as a dimension"},
		"not a tuple":        {shape("(2)"), "not a tuple"},
		"no tuple":           {shape("2"), `where "("`},
		"open tuple":         {shape("(2, 1"), "as a dimension"},
		"float dimension":    {shape("(2.0,)"), "not a tuple"},
		"dimension too big":  {shape("(9999999999999999999,)"), "as a dimension"},
		"product too big":    {shape("(4294967296, 4294967296, 4294967296)"), "more elements"},
		"bytes overflow":     {shape("(4611686018427387904,)"), "another size"},
		"many dimensions":    {shape("(" + strings.Repeat("1, ", 33) + ")"), "more than 32 dimensions"},
		"lying shape":        {shape("(1000000000000,)"), "another size"},
		"too little":         {shape("(3,)"), "another size"},
		"too much":           {shape("(1,)"), "another size"},
		"empty dtype":        {descr("''"), `""`},
		"only an order":      {descr("'<'"), `"<"`},
		"wrong size":         {descr("'<u3'"), `"<u3"`},
		"void":               {descr("'|V4'"), `"|V4"`},
		"no size":            {descr("'<f'"), `"<f"`},
		"giant string":       {descr("'<U2000000000'"), `"<U2000000000"`},
		"dtype not a string": {descr("None"), "quoted string"},
		"strings of nothing": {npyBytes(1, "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,)}", nil), "strings of type"},
		"object with a tail": {npyBytes(1, "{'descr': '|O', 'fortran_order': False, 'shape': ()}", nil), "truncated pickle"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readBytes(c.raw)
			require.Error(t, err)
			require.Contains(t, err.Error(), c.found)
		})
	}
}

func TestEmptyString(t *testing.T) {
	a, err := readBytes(npyBytes(1, "{'descr': '<U0', 'fortran_order': False, 'shape': ()}", nil))
	require.NoError(t, err)
	require.Equal(t, []string{""}, a.Data)
}

func TestInvalidRune(t *testing.T) {
	a, err := readBytes(npyBytes(1, "{'descr': '<U1', 'fortran_order': False, 'shape': ()}", []byte{0xff, 0xff, 0xff, 0xff}))
	require.NoError(t, err)
	require.Equal(t, []string{"\uFFFD"}, a.Data)
}

func FuzzReadNPY(f *testing.F) {
	good := "{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }\n"
	for _, d := range []string{"<f2", ">f4", "<f8", "<c8", ">c16", "|i1", "<u2", "|b1", "<U2", "|S4", "|O", "|V8"} {
		f.Add(npyBytes(1, fmt.Sprintf(good, d, "True", "2, 1"), make([]byte, 32)))
		f.Add(npyBytes(2, fmt.Sprintf(good, d, "False", ""), make([]byte, 16)))
	}
	f.Add(npyBytes(1, "{'descr': '|O', 'fortran_order': False, 'shape': ()}", []byte("\x80\x03X\x02\x00\x00\x00{}q\x00.")))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readBytes(b)
		if err != nil {
			return
		}
		// What was read can be written, and comes back the same.
		e, err := newEncoder(a)
		require.NoError(t, err)
		var buf bytes.Buffer
		require.NoError(t, e.writeTo(&buf))
		again, err := readBytes(buf.Bytes())
		require.NoError(t, err)
		require.Equal(t, a.Shape, again.Shape)
		require.Equal(t, a.Len(), again.Len())
	})
}
