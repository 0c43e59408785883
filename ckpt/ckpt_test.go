package ckpt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func sample() *File {
	return &File{
		Meta: map[string]string{"format": "1", "config": `{"n":64,"note":"α < β & \"header_sha256\":\""}`},
		Tensors: []Tensor{
			{Name: "enc.0.weight", Shape: []int{2, 1, 3}, Data: []float32{1, -2, 3.5, 0, math.MaxFloat32, 1e-40}},
			{Name: "step", Shape: []int{}, I64: []int64{-7}},
			{Name: "score", Shape: []int{2}, F64: []float64{math.Pi, math.Inf(1)}},
			{Name: "none", Shape: []int{0, 4}, Data: []float32{}},
		},
	}
}

func write(t *testing.T, f *File) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.safetensors")
	require.NoError(t, Write(path, f))
	return path
}

func bytesOf(t testing.TB, f *File) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.safetensors")
	require.NoError(t, Write(path, f))
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// forge makes a file with right checksums around the members of a header.
func forge(members string, payload []byte) []byte {
	sum := sha256.Sum256(payload)
	text := fmt.Sprintf(`{"__metadata__":{"sha256":%q,"header_sha256":"%s"}%s}`,
		hex.EncodeToString(sum[:]), noSum, members)
	head := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	at, _ := findHeaderSum(head)
	sum = sha256.Sum256(head)
	hex.Encode(head[at:], sum[:])
	return append(head, payload...)
}

func TestRoundTrip(t *testing.T) {
	want := sample()
	path := write(t, want)
	got, err := Read(path)
	require.NoError(t, err)
	want.Path = path
	require.Equal(t, want, got)
	require.Equal(t, int64(-7), got.Tensor("step").I64[0])
	require.Nil(t, got.Tensor("absent"))
}

func TestNilSlicesBecomeEmpty(t *testing.T) {
	got, err := Read(write(t, &File{Tensors: []Tensor{{Name: "z", Shape: []int{0}}, {Name: "s", Data: []float32{2}}}}))
	require.NoError(t, err)
	require.Equal(t, map[string]string{}, got.Meta)
	require.Equal(t, []int{}, got.Tensor("s").Shape)
	require.Equal(t, F32, got.Tensor("z").DType())
}

func TestNaNBitsSurvive(t *testing.T) {
	bits := uint32(0x7fc01234)
	got, err := Read(write(t, &File{Tensors: []Tensor{{Name: "x", Data: []float32{math.Float32frombits(bits)}}}}))
	require.NoError(t, err)
	require.Equal(t, bits, math.Float32bits(got.Tensor("x").Data[0]))
}

// TestLayout reads a file with nothing but the definition of the container.
func TestLayout(t *testing.T) {
	b := bytesOf(t, sample())
	require.Equal(t, b, bytesOf(t, sample()), "equal content gives equal bytes")

	n := binary.LittleEndian.Uint64(b)
	require.Zero(t, (8+n)%64)
	head, payload := b[8:8+n], b[8+n:]
	require.Len(t, payload, 6*4+8+2*8)
	var h map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(head, &h))
	require.Len(t, h, 5)
	require.JSONEq(t, `{"dtype":"F32","shape":[2,1,3],"data_offsets":[0,24]}`, string(h["enc.0.weight"]))
	require.JSONEq(t, `{"dtype":"I64","shape":[],"data_offsets":[24,32]}`, string(h["step"]))
	require.JSONEq(t, `{"dtype":"F64","shape":[2],"data_offsets":[32,48]}`, string(h["score"]))
	require.Equal(t, float32(3.5), math.Float32frombits(binary.LittleEndian.Uint32(payload[8:])))

	var meta map[string]string
	require.NoError(t, json.Unmarshal(h["__metadata__"], &meta))
	sum := sha256.Sum256(payload)
	require.Equal(t, hex.EncodeToString(sum[:]), meta["sha256"])
	require.Equal(t, sample().Meta["config"], meta["config"])
	sum = sha256.Sum256(bytes.Replace(b[:8+n], []byte(meta["header_sha256"]), bytes.Repeat([]byte("0"), 64), 1))
	require.Equal(t, hex.EncodeToString(sum[:]), meta["header_sha256"])
}

func TestWriteRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		file File
		want []string
	}{
		{"shape", File{Tensors: []Tensor{{Name: "w", Shape: []int{2, 2}, Data: make([]float32, 3)}}}, []string{`"w"`, "[2 2]", "found 3"}},
		{"negative", File{Tensors: []Tensor{{Name: "w", Shape: []int{-1}}}}, []string{`"w"`, "[-1]"}},
		{"overflow", File{Tensors: []Tensor{{Name: "w", Shape: []int{1 << 40, 1 << 40, 0}}}}, []string{`"w"`}},
		{"twice", File{Tensors: []Tensor{{Name: "w", Shape: []int{0}}, {Name: "w", Shape: []int{0}}}}, []string{`"w"`, "rename"}},
		{"unnamed", File{Tensors: []Tensor{{Shape: []int{0}}}}, []string{`""`, "rename"}},
		{"metadata name", File{Tensors: []Tensor{{Name: "__metadata__", Shape: []int{0}}}}, []string{"rename"}},
		{"two types", File{Tensors: []Tensor{{Name: "w", Shape: []int{2}, Data: []float32{1}, F64: []float64{1}}}}, []string{`"w"`, "found 2"}},
		{"reserved", File{Meta: map[string]string{"sha256": "x"}}, []string{`"sha256"`, "another key"}},
		{"text", File{Meta: map[string]string{"a": "\xff"}}, []string{"UTF-8"}},
		{"header", File{Meta: map[string]string{"a": strings.Repeat("x", maxHeader)}}, []string{"less metadata"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "no.safetensors")
			err := Write(path, &tc.file)
			require.Error(t, err)
			for _, w := range append(tc.want, path) {
				require.ErrorContains(t, err, w)
			}
			require.NoFileExists(t, path)
		})
	}
	require.ErrorContains(t, Write(filepath.Join(t.TempDir(), "no", "such", "dir"), sample()), "no such file")
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	b := bytesOf(t, sample())
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			_, err := parse("run/best.safetensors", b)
			require.Errorf(t, err, "byte %d bit %d", i, bit)
			require.ErrorContains(t, err, "run/best.safetensors")
			b[i] ^= 1 << bit
		}
	}
}

func TestEveryTruncationIsFound(t *testing.T) {
	b := bytesOf(t, sample())
	for n := range b {
		_, err := parse("a", b[:n])
		require.Errorf(t, err, "%d of %d bytes", n, len(b))
	}
	_, err := parse("a", append(b, 0))
	require.ErrorContains(t, err, "found 49")
}

func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(dir)
	require.ErrorContains(t, err, dir+": expected a checkpoint file, found a directory")
	_, err = Read(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Read(os.DevNull)
	require.ErrorContains(t, err, "a special file")

	for _, tc := range []struct{ name, content, want string }{
		{"empty", "", "found 0"},
		{"short", "abc", "found 3"},
		{"zip", "PK\x03\x04" + strings.Repeat("z", 60), "ZIP"},
		{"png", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "PNG"},
		{"npy", "\x93NUMPY\x01\x00v\x00{'descr'", "NumPy"},
		{"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00", "gzip"},
		{"text", "hello, I am no checkpoint", "a length of"},
		{"zeros", strings.Repeat("\x00", 100), "no JSON object"},
		{"other writer", "\x28\x00\x00\x00\x00\x00\x00\x00" + `{"w":{"dtype":"F32","shape":[0],"data_of`, "tensor"},
		{"no checksum", "\x02\x00\x00\x00\x00\x00\x00\x00{}", "metadata sha256 and header_sha256"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(dir, tc.name)
			require.NoError(t, os.WriteFile(path, []byte(tc.content), 0o600))
			_, err := Read(path)
			var fe *FormatError
			require.ErrorAs(t, err, &fe)
			require.Equal(t, path, fe.Path)
			require.ErrorContains(t, err, tc.want)
			require.NotEmpty(t, fe.Remedy)
		})
	}
}

func TestHostileHeaders(t *testing.T) {
	four, eight := make([]byte, 4), make([]byte, 8)
	for _, tc := range []struct {
		name, members string
		payload       []byte
		want          string // empty when the file is right
	}{
		{"right", `,"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`, four, ""},
		{"dtype", `,"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}`, four, `tensor "w": expected dtype F32, F64 or I64, found "F16"`},
		{"shape", `,"w":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}`, four, "data_offsets [0 12] for F32 [3], found [0 4]"},
		{"no shape", `,"w":{"dtype":"F32","data_offsets":[0,4]}`, four, "a shape of"},
		{"null", `,"w":null`, nil, "dtype"},
		{"negative", `,"w":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}`, four, "found [-1 -1]"},
		{"overflow", `,"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}`, nil, "a shape of"},
		{"huge", `,"w":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}`, four, "found 4 bytes of data"},
		{"fraction", `,"w":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}`, four, `tensor "w"`},
		{"one offset", `,"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}`, four, "found [0]"},
		{"gap", `,"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}`, eight, "found [4 8]"},
		{"overlap", `,"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`, four, `tensor "w"`},
		{"short", `,"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}`, four, "found 4 bytes of data"},
		{"long", `,"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`, eight, "expected 4 bytes of tensors, found 8"},
		{"twice", `,"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, nil, `"w" empty or given twice`},
		{"metadata twice", `,"__metadata__":{}`, nil, "given twice"},
		{"unnamed", `,"":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, nil, "empty"},
		{"unknown member", `,"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":1}`, nil, "unknown field"},
		{"comma", `,`, nil, "safetensors header"},
		{"not a key", `,1:2`, nil, "safetensors header"},
		{"tail", `}{`, nil, "closing brace"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := parse("x", forge(tc.members, tc.payload))
			if tc.want == "" {
				require.NoError(t, err)
				require.Len(t, f.Tensors, 1)
				return
			}
			var fe *FormatError
			require.ErrorAs(t, err, &fe)
			require.ErrorContains(t, err, tc.want)
		})
	}
	_, err := parse("x", append(binary.LittleEndian.AppendUint64(nil, 1<<63), "{}"...))
	require.ErrorContains(t, err, "a header of at most 2 bytes")
	_, err = parse("x", append(binary.LittleEndian.AppendUint64(nil, 20), `{"__metadata__":"a"}`...))
	require.ErrorContains(t, err, "metadata with")
	_, err = parse("x", append(binary.LittleEndian.AppendUint64(nil, 4), `{   `...))
	require.ErrorContains(t, err, "no closing brace")
}

func TestWant(t *testing.T) {
	f := sample()
	f.Path = "best.safetensors"
	specs := []Spec{
		{Name: "none", Shape: []int{0, 4}},
		{Name: "score", Shape: []int{2}, DType: F64},
		{Name: "step", DType: I64},
		{Name: "enc.0.weight", Shape: []int{2, 1, 3}},
	}
	require.NoError(t, f.Want(specs))

	specs[1].DType = F32
	specs[3].Shape = []int{2, 3, 1}
	specs[2].Name = "epoch"
	err := f.Want(append(specs, Spec{Name: "dec.bias", Shape: []int{4}}))
	var m *MismatchError
	require.ErrorAs(t, err, &m)
	require.Equal(t, []string{`"epoch"`, `"dec.bias"`}, m.Missing)
	require.Equal(t, []string{`"step"`}, m.Extra)
	require.Len(t, m.Shaped, 2)
	for _, want := range []string{
		"best.safetensors", "missing (2)", `"dec.bias"`, "unexpected (1)", `"step"`,
		`"enc.0.weight" (expected F32 [2 3 1], found F32 [2 1 3])`,
		`"score" (expected F32 [2], found F64 [2])`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, (&File{}).Want(specs[:1]), "checkpoint does not fit")
	require.PanicsWithValue(t, `ckpt: tensor "none" is wanted twice`, func() { _ = f.Want([]Spec{specs[0], specs[0]}) })
}

func TestHas(t *testing.T) {
	f := sample()
	require.NoError(t, f.Has())
	require.NoError(t, f.Has(Spec{Name: "score", Shape: []int{2}, DType: F64}), "whatever else there is")
	err := f.Has(Spec{Name: "score", Shape: []int{3}, DType: F64}, Spec{Name: "bias"})
	var m *MismatchError
	require.ErrorAs(t, err, &m)
	require.Equal(t, &MismatchError{Missing: []string{`"bias"`}, Shaped: []string{`"score" (expected F64 [3], found F64 [2])`}}, m)
}

func TestDTypeSize(t *testing.T) {
	require.Equal(t, []int{4, 8, 8, 0}, []int{F32.Size(), F64.Size(), I64.Size(), DType("BF16").Size()})
}

func FuzzRead(f *testing.F) {
	b := bytesOf(f, sample())
	f.Add(b)
	f.Add(b[:100])
	f.Add(forge(`,"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`, make([]byte, 4)))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, blob := range [][]byte{b, forge(","+string(b), b)} {
			file, err := parse("fuzz", blob)
			if err != nil {
				require.ErrorContains(t, err, "fuzz")
				continue
			}
			// What was accepted can be written, and reads as the same again.
			again, err := parse("fuzz", bytesOf(t, file))
			require.NoError(t, err)
			require.Equal(t, file.Meta, again.Meta)
			require.Equal(t, len(file.Tensors), len(again.Tensors))
		}
	})
}

func ExampleFile_Want() {
	f := &File{Path: "best.safetensors", Tensors: []Tensor{{Name: "bias", Shape: []int{2}, Data: []float32{0, 0}}}}
	fmt.Println(f.Want([]Spec{{Name: "bias", Shape: []int{3}}}))
	// Output:
	// ckpt: best.safetensors does not fit the configured network
	//   wrong shape or type (1): "bias" (expected F32 [3], found F32 [2])
	//   use the configuration that the checkpoint was trained with, or train anew
}
