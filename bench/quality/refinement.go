package main

// Quantities that several cases measure. The error is Σ(√I−√λ)²/ΣI over all frames; E is the distance of the object from the known
// one inside the scan.
const (
	anError  = "error"
	distance = "E"
	total    = "total, s"
	aSweep   = "a sweep, s"
)

// refinement is the chapter on ptycho refine, ptycho infer --refine and ptycho doctor.
func refinement() chapter {
	return chapter{
		title: "Refinement",
		text: "The Siemens star is measured: 516 frames of 128×128 pixels, 4.5e5 photons each, from the Velociprobe of the Advanced Photon Source. " +
			"Run 1084 is simulated from the probe, the object and the 1087 positions of a measurement at LCLS XPP, frames of 64×64 pixels. " +
			"*error* is Σ(√I−√λ)²/ΣI over all frames, I being the photons and λ their expectation. *E* is the relative distance of the object from the known " +
			"one inside the scan, after one complex factor, a phase plane and, where probe or positions are fitted, a shift. *total* is the time of a command " +
			"from its start to its end, reading and drawing included.",
		cases: []testCase{
			{"star-1", "Siemens star, one mode, 24 sweeps", []bound{atMost(anError, 0.0185), atMost(total, 3)}, starOneMode},
			{"star-3", "Siemens star, three modes of the probe, 40 sweeps", []bound{atMost(anError, 0.013), atMost(total, 10)}, starThreeModes},
			{"star-sweep", "Siemens star, time of a sweep with one mode", []bound{atMost(aSweep, 0.05)}, starSweep},
			{"star-split", "Siemens star, ring correlation (FRC) of half sets in one command", []bound{atMost(total, 15)}, starSplit},
			{
				"run1084-flat", "Run 1084 at 1e9 photons, from a flat object: 16 sweeps, then 50",
				[]bound{atMost("E after 16 sweeps", 0.005), atMost("16 sweeps, s", 0.5), atMost(distance, 0.001), atMost(aSweep, 0.025)},
				run1084Flat,
			},
			{
				"run1084-network", "Run 1084 at 1e9 photons, 50 epochs on 512 groups, then infer --refine 20",
				[]bound{atMost(distance, 0.003)},
				run1084Network,
			},
			{"run1084-1e4", "Run 1084 at 1e4 photons, 50 sweeps from a flat object and from a network of 30 epochs", dimMust, dim(1e4)},
			{"run1084-1e3", "Run 1084 at 1e3 photons, the same", dimMust, dim(1e3)},
			{
				"sparse", "every fourth position of Run 1084 at 1e9 photons, with a probe defocused by 20 % too much, which is fitted: E from a flat object and from a network of 60 epochs",
				[]bound{atLeast("network ahead after 3 sweeps, %", 20), atLeast("network ahead after 5 sweeps, %", 20)},
				sparse,
			},
			{
				"positions", "Run 1084 at 1e9 photons, positions wrong by 2 pixels (r.m.s.), 60 sweeps with --fit_positions; in the last figure, an E below 0.001 counts as 0.001",
				[]bound{atMost("positions wrong by, pixels", 0.1), atMost(againstTrue, 1.2)},
				positions,
			},
			{
				"memory", "simulated scan of 10000 frames of 128×128 pixels in 1 GiB, 10 sweeps",
				[]bound{atMost("peak memory, GiB", 1), atLeast("frames", 10000)},
				memory,
			},
			{
				"doctor", "Siemens star with its frames turned in all eight ways, and with useless probes",
				[]bound{atLeast("named right, of 8", 8), atMost("longest, s", 10), atMost("named with useless probes", 0)},
				orientations,
			},
		},
	}
}
