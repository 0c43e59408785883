package recon

import "ptycho/data"

// ReconstructionFile is the name of the numeric result in an output directory.
const ReconstructionFile = "reconstruction.npz"

// Save writes the reconstruction as NPZ: object complex64 (rows, cols); coverage float32, same shape; origin
// int64 (row, col); xcoords, ycoords float64; probe complex64 (N, N), or (modes, N, N) if there are several;
// patches complex64 (n, N, N) if there are any. A refinement adds what it fitted: xcoords_start, ycoords_start float64,
// the positions before they were corrected; gain float64 (n,); background float32 (N, N), photons, DC at [N/2,N/2].
func (r *Reconstruction) Save(path string) error {
	shape := []int{r.Object.Rows, r.Object.Cols}
	probe := []int{r.Modes, r.N, r.N}
	if r.Modes == 1 {
		probe = probe[1:]
	}
	arrays := []data.Array{
		{Name: "object", Shape: shape, Data: r.Object.Pix},
		{Name: "coverage", Shape: shape, Data: r.Coverage},
		{Name: "origin", Shape: []int{2}, Data: r.Origin[:]},
		{Name: "xcoords", Shape: []int{len(r.X)}, Data: r.X},
		{Name: "ycoords", Shape: []int{len(r.Y)}, Data: r.Y},
		{Name: "probe", Shape: probe, Data: r.Probe},
	}
	for _, v := range []struct {
		name string
		data []float64
	}{{"xcoords_start", r.XStart}, {"ycoords_start", r.YStart}, {"gain", r.Gain}} {
		if v.data != nil {
			arrays = append(arrays, data.Array{Name: v.name, Shape: []int{len(v.data)}, Data: v.data})
		}
	}
	if r.Background != nil {
		arrays = append(arrays, data.Array{Name: "background", Shape: []int{r.N, r.N}, Data: r.Background})
	}
	if r.Patches != nil {
		arrays = append(arrays, data.Array{Name: "patches", Shape: []int{len(r.X), r.N, r.N}, Data: r.Patches})
	}
	return data.WriteNPZ(path, arrays...)
}
