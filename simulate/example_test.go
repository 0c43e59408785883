package simulate_test

import (
	"context"
	"fmt"

	"ptycho/simulate"
)

func ExampleRun() {
	ds, err := simulate.Run(context.Background(), simulate.Options{
		N: 32, Object: simulate.Siemens, Scan: simulate.Raster, Frames: 100, NPhotons: 1e6,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d frames, %.3g photons each, overlap %.1f\n", ds.Len(), ds.Dose, ds.Overlap())
	// Output: 100 frames, 1e+06 photons each, overlap 0.8
}
