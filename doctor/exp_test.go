package doctor

import (
	"context"
	"fmt"
	"math"
	"math/rand"
	"os"
	"strings"
	"testing"
	"time"

	"ptycho/data"
)

func exam(t *testing.T, ds *data.Dataset) *Report {
	r := &Report{whole: true}
	var err error
	r.defects, err = ds.Defects()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.checkOrientation(context.Background(), ds); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestExp(t *testing.T) {
	for _, path := range strings.Fields(os.Getenv("FILES")) {
		ds, err := data.Load(path, data.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for o := data.AsStored; o < 8; o++ {
			t0 := time.Now()
			g, _ := ds.Oriented(o)
			r := exam(t, g)
			fmt.Println("FRAMES", o, "want", o.Inverse(), "got", r.detector, r.positions, time.Since(t0).Seconds(), o.Inverse() == r.detector && r.positions == 0)
			fmt.Println("   ", r.Findings)
		}
		for o := data.FlipY; o < 8; o++ {
			g := *ds
			g.X, g.Y = turnPositions(o, ds.X, ds.Y)
			r := exam(t, &g)
			fmt.Println("POS", o, "want", o.Inverse(), "got", r.detector, r.positions, r.positions == o.Inverse())
			fmt.Println("   ", r.Findings)
		}
		for _, pr := range strings.Fields("noise flat delta gauss disc small smooth") {
			p := append([]complex64{}, ds.Probe...)
			r := rand.New(rand.NewSource(1))
			for i := range p {
				yy, xx := float64(i/ds.N-ds.N/2), float64(i%ds.N-ds.N/2)
				s := float64(ds.N) / 10
				switch pr {
				case "noise":
					p[i] = complex(float32(r.NormFloat64()), float32(r.NormFloat64()))
				case "flat":
					p[i] = 1
				case "delta":
					p[i] = 0
					if xx == 0 && yy == 0 {
						p[i] = 1
					}
				case "gauss":
					p[i] = complex(float32(math.Exp(-(xx*xx+yy*yy)/2/s/s)), 0)
				case "small":
					s /= 4
					p[i] = complex(float32(math.Exp(-(xx*xx+yy*yy)/2/s/s)), 0)
				case "smooth":
					p[i] = complex64(complex(math.Exp(-(xx*xx+yy*yy)/2/s/s)*math.Cos((xx*xx+yy*yy)/s/s), math.Exp(-(xx*xx+yy*yy)/2/s/s)*math.Sin((xx*xx+yy*yy)/s/s)))
				case "disc":
					p[i] = 0
					if math.Hypot(xx, yy) < float64(ds.N)/6 {
						p[i] = 1
					}
				}
			}
			for _, o := range []data.Orientation{0, 3, 5} {
				g, _ := ds.Oriented(o)
				g.Probe = p
				fmt.Println(pr, o, exam(t, g).Findings)
			}
		}
	}
}
