package fft_test

import (
	"fmt"
	"log"

	"ptycho/fft"
)

// A point source illuminates the far field evenly, with the energy that it has.
func ExamplePlan_Forward() {
	plan, err := fft.NewPlan(4, 4)
	if err != nil {
		log.Fatal(err)
	}
	re, im := make([]float32, 16), make([]float32, 16)
	work := make([]float32, plan.WorkLen())
	re[0] = 1
	plan.Forward(re, im, work)
	fmt.Println(re[:4], im[:4])
	plan.Inverse(re, im, work)
	fmt.Println(re[:4], im[:4])
	// Output:
	// [0.25 0.25 0.25 0.25] [0 0 0 0]
	// [1 0 0 0] [0 0 0 0]
}
