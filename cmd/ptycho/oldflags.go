package main

import (
	"strings"
	"sync"
)

// oldFlag is a flag of the original program that is none of this one's.
type oldFlag struct {
	names    string // one or more, in canonical spelling
	commands string // that accept it
	takes    taking
	// becomes maps values to what they turn into here, flag=value, or to nothing when they ask for nothing or
	// for what happens anyway. Values that it does not map are refused.
	becomes map[string]string
	why     string // why it has no effect, or why other values are refused
}

// taking is what follows a flag on the command line.
type taking int

const (
	aValue  taking = iota
	aSwitch        // nothing, or a word for true or false
	perhaps        // a value or nothing
	many           // any number of values
)

// whatever stands for every value of an old flag, and in what it becomes for the value given.
const whatever = "*"

// oldValue is a value that the original program knows of a flag that both have.
type oldValue struct{ flag, value, becomes, why string }

// oldValues lists the values that are others here.
func oldValues() []oldValue {
	const noStages = "the original program trains at a constant rate with it, and so does this one"
	return []oldValue{{"scheduler", "MultiStage", "constant", noStages}, {"scheduler", "Adaptive", "constant", noStages}}
}

// oldFlags returns the flags that the commands of the original program have and this one's have not.
var oldFlags = sync.OnceValue(listOldFlags)

// oldNames returns them by command and name in canonical spelling.
var oldNames = sync.OnceValue(func() map[[2]string]*oldFlag {
	names := map[[2]string]*oldFlag{}
	for i := range oldFlags() {
		f := &oldFlags()[i]
		for _, command := range strings.Fields(f.commands) {
			for _, name := range strings.Fields(f.names) {
				names[[2]string{command, name}] = f
			}
		}
	}
	return names
})

func listOldFlags() []oldFlag {
	const (
		cnnOnly   = "it belongs to other networks than the CNN"
		records   = "history.csv and run.json are always written"
		weights   = "the best and the last weights are always saved"
		trainMask = "the mask of the probe is that of the training"
		noLoaders = "there are no processes that load frames; --workers sets the cores"
		repeats   = "the same seed always gives the same bytes"
		patches   = "infer --save-patches keeps the patches"
		domain    = "the domain is that of the data, see --domain"
	)
	none := map[string]string{whatever: ""}
	to := func(flag string) map[string]string { return map[string]string{whatever: flag + "=" + whatever} }
	only := func(value string) map[string]string { return map[string]string{value: ""} }
	cpu := map[string]string{"auto": "", "cpu": "", whatever: ""}
	levels := map[string]string{"DEBUG": "verbose=true", "INFO": "", "WARNING": "", "ERROR": "quiet=true", "CRITICAL": "quiet=true"}
	domains := map[string]string{"count_intensity": "domain=counts", "normalized_amplitude": "domain=amplitude"}
	return []oldFlag{
		{"console-level", "train infer", aValue, levels, "it is the least severe message to print"},
		{"backend", "train infer", aValue, none, "there is one implementation"},
		{"torch-accelerator accelerator", "train infer", aValue, cpu, "this program computes on the CPU"},
		{"torch-num-workers num-workers", "train infer", aValue, none, noLoaders},
		{"measurement-domain", "train infer", aValue, domains, "frames are counts or amplitudes"},
		{"scale-contract-version", "train infer", aValue, none, domain},
		{"log-patch-stats", "train infer", aSwitch, none, patches},
		{"patch-stats-limit", "train infer", aValue, none, patches},

		{"torch-learning-rate", "train", aValue, to("learning-rate"), ""},
		{"torch-scheduler", "train", aValue, to("scheduler"), ""},
		{"torch-plateau-factor", "train", aValue, to("plateau-factor"), ""},
		{"torch-plateau-patience", "train", aValue, to("plateau-patience"), ""},
		{"torch-plateau-min-lr", "train", aValue, to("plateau-min-lr"), ""},
		{"torch-plateau-threshold plateau-threshold", "train", aValue, only("0"), "every lower loss counts as an improvement"},
		{"torch-loss-mode", "train", aValue, map[string]string{"poisson": "loss=poisson", "mae": "loss=mae"}, "there are other losses under --loss"},
		{"torch-mae-pred-l2-match-target", "train", aSwitch, only("false"), "predictions are compared with the frames as they are"},
		{"torch-accumulate-grad-batches accumulate-grad-batches", "train", aValue, only("1"), "every batch is a step; raise --batch-size"},
		{"optimizer", "train", aValue, only("adam"), "there is no other optimiser"},
		{"momentum", "train", aValue, none, "Adam has none"},
		{"weight-decay", "train", aValue, only("0"), "weights do not decay"},
		{"adam-beta1", "train", aValue, only("0.9"), "it is fixed"},
		{"adam-beta2", "train", aValue, only("0.999"), "it is fixed"},
		{"gradient-clip-algorithm", "train", aValue, only("norm"), "--gradient-clip-val limits the norm"},

		{"architecture", "train", aValue, only("cnn"), "there is no other network"},
		{"fno-modes fno-width fno-blocks fno-cnn-blocks", "train", aValue, none, cnnOnly},
		{"fno-input-transform generator-output-mode", "train", aValue, none, cnnOnly},
		{"max-hidden-channels resnet-width", "train", aValue, none, cnnOnly},
		{"learned-input-channels", "train", aValue, only("1"), "the network sees a frame as one channel"},
		{"gaussian-smoothing-sigma", "train", aValue, only("0"), "the exit wave is not smoothed"},
		{"no-probe-mask", "train", aSwitch, map[string]string{"true": "probe-mask=false", "false": "probe-mask=true"}, "it is a switch"},
		{"probe-mask-sigma", "train", aValue, map[string]string{"0": "", "1": ""}, "the mask has a hard edge, as with the original's TensorFlow back-end"},
		{"probe-mask-diameter", "train", aValue, only("none"), "the mask is a disk of diameter N/2"},
		{"positions-provided", "train", aSwitch, none, "positions are always those of the scan"},
		{"intensity-scale-trainable", "train", aSwitch, map[string]string{"false": "", whatever: ""}, "the intensity scale follows from the data and is fixed"},
		{"enable-oversampling", "train", aSwitch, only("false"), "there is one group a frame, drawn from its neighbours"},
		{"neighbor-pool-size", "train", aValue, none, "it belongs to oversampling; see --neighbor-count"},

		{"torch-deterministic deterministic no-deterministic", "train", aSwitch, none, repeats},
		{"torch-logger logger", "train", aValue, none, records},
		{"disable-mlflow", "train infer", aSwitch, none, "there is no MLflow"},
		{"torch-enable-checkpointing enable-checkpointing disable-checkpointing", "train", aSwitch, none, weights},
		{"torch-checkpoint-save-top-k checkpoint-save-top-k checkpoint-monitor checkpoint-mode", "train", aValue, none, weights},
		{"torch-recon-log-every-n-epochs torch-recon-log-num-patches torch-recon-log-max-stitch-samples", "train", aValue, none, patches},
		{"torch-recon-log-fixed-indices", "train", many, none, patches},
		{"torch-recon-log-stitch", "train", aSwitch, none, patches},
		{"do-stitching", "train", aSwitch, none, "infer reconstructs the object"},
		{"profile", "train", aValue, none, domain},
		{"ptycho-dir", "train", aValue, nil, "a scan is one NPZ file; give it as --train-data-file"},

		{"torch-inference-batch-size inference-batch-size", "infer", aValue, to("batch-size"), ""},
		{"patch-weighting", "infer", aValue, map[string]string{"probe": "stitch=probe", "uniform": "stitch=tf"}, "patches are put together in two ways"},
		{"seed", "infer", aValue, to("subsample-seed"), ""},
		{"debug", "infer", aSwitch, map[string]string{"true": "verbose=true", "false": ""}, "it is a switch"},
		{"debug-dump", "infer", perhaps, none, patches},
		{"varpro-scaling", "infer", aSwitch, none, "the scale of the object is that of the training"},
		{"probe-mask no-probe-mask", "infer", aSwitch, none, trainMask},
		{"probe-mask-sigma probe-mask-diameter", "infer", aValue, none, trainMask},

		{"gridsize", "simulate", aValue, only("1"), "frames are not grouped before training"},
		{"buffer", "simulate", aValue, none, "every frame lies on the object"},
		{"visualize", "simulate", aSwitch, none, "inspect describes a scan"},
	}
}
