package doctor

import "ptycho/data"

// advise says what to run on a scan that nothing is wrong with.
func (r *Report) advise(ds *data.Dataset) {
	const name, ample = "what to run", 0.6
	switch {
	case r.Fatal():
	case ds.Len() < 2:
		r.say(name, Warn, "scan with many frames that overlap", "a single frame does not tell the object from the probe")
	case ds.Overlap() >= ample:
		r.say(name, OK, "", "ptycho refine solves a scan that overlaps like this within seconds to minutes, from a flat start; train a network where more scans like it are to be reconstructed without iterating")
	default:
		r.say(name, OK, "", "with so little overlap a flat start needs many sweeps: train a network and hand its object to the solver, ptycho infer --refine 20")
	}
}
