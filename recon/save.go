package recon

import "ptycho/data"

// ReconstructionFile is the name of the numeric result in an output directory.
const ReconstructionFile = "reconstruction.npz"

// Save writes the reconstruction as NPZ: object complex64 (rows, cols); coverage float32, same shape; origin
// int64 (row, col); xcoords, ycoords float64; probe complex64 (N, N), or (modes, N, N) if there are several;
// patches complex64 (n, N, N) if there are any.
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
	if r.Patches != nil {
		arrays = append(arrays, data.Array{Name: "patches", Shape: []int{len(r.X), r.N, r.N}, Data: r.Patches})
	}
	return data.WriteNPZ(path, arrays...)
}
