package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// originalFlags are all flags of the original program's commands with values as scripts have them.
var originalFlags = map[string]string{
	"train": `--config=FILE --do_stitching --quiet --console-level=INFO --backend=tensorflow --backend=pytorch
--N=64 --gridsize=1 --n_filters_scale=2 --model_type=pinn --architecture=cnn --fno_modes=12 --fno_width=32 --fno_blocks=4 --fno_cnn_blocks=2
--learned_input_channels=1 --max_hidden_channels=64 --resnet_width=32 --fno_input_transform=none --generator_output_mode=real_imag
--amp_activation=sigmoid --object_big=True --probe_big=True --probe_mask=False --probe_mask_sigma=1.0 --probe_mask_diameter=none --pad_object=True
--probe_scale=4.0 --gaussian_smoothing_sigma=0.0
--train_data_file=a.npz --test_data_file=b.npz --batch_size=16 --nepochs=50 --mae_weight=0 --nll_weight=1 --realspace_mae_weight=0
--realspace_weight=0 --nphotons=1e9 --n_groups=512 --n_images=512 --n_subsample=100 --subsample_seed=3 --neighbor_count=4
--enable_oversampling=False --neighbor_pool_size=7 --positions_provided=True --probe_trainable=False --intensity_scale_trainable=True
--output_dir=out --sequential_sampling=False --torch_loss_mode=poisson --torch_mae_pred_l2_match_target=False --gradient_clip_val=1
--gradient_clip_algorithm=norm --optimizer=adam --momentum=0.9 --weight_decay=0 --adam_beta1=0.9 --adam_beta2=0.999 --scheduler=Default
--lr_warmup_epochs=0 --lr_min_ratio=0.1 --plateau_factor=0.5 --plateau_patience=2 --plateau_min_lr=5e-5 --plateau_threshold=0
--torch-accelerator=cuda --torch-deterministic --torch-num-workers=0 --torch-accumulate-grad-batches=1 --torch-learning-rate=1e-3
--torch-scheduler=Default --torch-plateau-factor=0.5 --torch-plateau-patience=2 --torch-plateau-min-lr=5e-5 --torch-plateau-threshold=0
--torch-logger=csv --torch-recon-log-every-n-epochs=1 --torch-recon-log-num-patches=4 --torch-recon-log-fixed-indices=1
--torch-recon-log-stitch --torch-recon-log-max-stitch-samples=9 --torch-enable-checkpointing --torch-checkpoint-save-top-k=1
--max_epochs=50 --log-patch-stats --patch-stats-limit=2 --device=cuda --disable_mlflow --profile=ci --scale-contract-version=ci_intensity_v2
--measurement-domain=count_intensity --no-probe-mask --accelerator=gpu --deterministic --no-deterministic --num-workers=4 --learning-rate=1e-3
--logger=none --enable-checkpointing --disable-checkpointing --checkpoint-save-top-k=-1 --checkpoint-monitor=val_loss --checkpoint-mode=min
--early-stop-patience=100 --accumulate-grad-batches=1`,
	"infer": `--model_path=run --test_data=a.npz --config=FILE --output_dir=out --debug --comparison_plot --n_images=32 --n_subsample=9 --subsample_seed=3
--phase_vmin=-1 --phase_vmax=1 --debug_dump --debug_dump=dir --backend=pytorch --torch-accelerator=cuda --torch-num-workers=0
--torch-inference-batch-size=4 --patch-weighting=uniform --varpro-scaling --device=cuda --log-patch-stats --patch-stats-limit=2
--probe-mask --no-probe-mask --probe-mask-sigma=1.0 --probe-mask-diameter=32 --scale-contract-version=legacy_v1
--measurement-domain=normalized_amplitude --accelerator=auto --num-workers=0 --inference-batch-size=4`,
	"simulate": `--input-file=a.npz --output-file=b.npz --n-images=500 --n-photons=1e9 --gridsize=1 --buffer=32 --seed=42 --visualize`,
}

// parser returns the program's parser and what it fills.
func parser(t testing.TB, opts ...kong.Option) (*kong.Kong, *cli) {
	c := new(cli)
	k, err := kong.New(c, append(opts, kong.Vars{"version": version})...)
	require.NoError(t, err)
	return k, c
}

// parse parses a command line and returns what it set, and the notes.
func parse(t testing.TB, args ...string) (*cli, []string, error) {
	k, c := parser(t)
	args, notes, err := normalise(k.Model, args)
	if err != nil {
		return nil, nil, err
	}
	r, more, err := configResolver(k.Model, args)
	if err != nil {
		return nil, nil, err
	}
	if r != nil {
		k, c = parser(t, kong.Resolvers(r))
	}
	_, err = k.Parse(args)
	return c, append(notes, more...), err
}

// required are the flags without which a command does nothing.
var required = map[string][]string{
	"train": {"--train-data-file=a.npz"}, "infer": {"--model-path=run", "--test-data=a.npz"}, "simulate": {"--output-file=b.npz"},
}

// TestEveryFlagOfTheOriginalProgram gives every flag to the command it belongs to, in a script and in a file.
func TestEveryFlagOfTheOriginalProgram(t *testing.T) {
	empty := configuration(t, "empty.yaml", "")
	for command, text := range originalFlags {
		for _, flag := range strings.Fields(text) {
			flag = strings.ReplaceAll(flag, "FILE", empty)
			name, value, hasValue := strings.Cut(flag, "=")
			_, _, err := parse(t, append([]string{command, flag}, required[command]...)...)
			require.NoError(t, err, "%s %s", command, flag)
			if hasValue {
				_, _, err = parse(t, append([]string{command, name, value}, required[command]...)...)
				require.NoError(t, err, "%s %s %s", command, name, value)
			} else {
				value = "true"
			}
			if name == "--config" {
				continue
			}
			path := configuration(t, "c.yaml", strings.TrimLeft(name, "-")+": "+value+"\n")
			_, _, err = parse(t, append([]string{command, "--config", path}, required[command]...)...)
			require.NoError(t, err, "%s %s in a file", command, flag)
		}
	}
}

func TestOldFlagsBecomeOurs(t *testing.T) {
	for _, tt := range []struct {
		args string
		want func(c *cli) bool
	}{
		{"train --torch-loss-mode mae", func(c *cli) bool { return c.Train.Loss == "mae" }},
		{"train --torch_loss_mode=poisson", func(c *cli) bool { return c.Train.Loss == "poisson" }},
		{"train -torch_learning_rate 3e-4", func(c *cli) bool { return c.Train.LearningRate == 3e-4 }},
		{"train --torch-scheduler CosineAnnealing", func(c *cli) bool { return c.Train.Scheduler == "CosineAnnealing" }},
		{"train --torch-plateau-factor 0.3 --torch-plateau-patience 7 --torch-plateau-min-lr 1e-6", func(c *cli) bool {
			return c.Train.PlateauFactor == 0.3 && c.Train.PlateauPatience == 7 && c.Train.PlateauMinLR == 1e-6
		}},
		{"train --measurement-domain count_intensity", func(c *cli) bool { return c.Train.Domain == "counts" }},
		{"infer --measurement-domain normalized_amplitude", func(c *cli) bool { return c.Infer.Domain == "amplitude" }},
		{"train --console-level error", func(c *cli) bool { return c.Train.Quiet && !c.Train.Verbose }},
		{"train --console-level DEBUG", func(c *cli) bool { return c.Train.Verbose && !c.Train.Quiet }},
		{"train --console-level INFO", func(c *cli) bool { return !c.Train.Verbose && !c.Train.Quiet }},
		{"train --probe-mask --no-probe-mask False", func(c *cli) bool { return c.Train.ProbeMask }},
		{"train --no-probe-mask", func(c *cli) bool { return !c.Train.ProbeMask }},
		{"train --probe_mask_diameter none", func(c *cli) bool { return c.Train.N == 0 }},
		{"train --accelerator gpu --device cuda", func(c *cli) bool { return c.Train.Device == "cuda" }},
		{"train --device cuda --accelerator cpu", func(c *cli) bool { return c.Train.Device == "cuda" }},
		{"train --device cuda:0 --torch-accelerator gpu", func(c *cli) bool { return c.Train.Device == "cuda:0" }},
		{"infer --torch-accelerator mps", func(c *cli) bool { return c.Infer.Device == "cpu" }},
		{"train --scheduler MultiStage", func(c *cli) bool { return c.Train.Scheduler == "constant" }},
		{"train --scheduler=adaptive", func(c *cli) bool { return c.Train.Scheduler == "constant" }},
		{"train --torch-scheduler Adaptive --scheduler constant", func(c *cli) bool { return c.Train.Scheduler == "constant" }},
		{"train --early-stop-patience 100", func(c *cli) bool { return c.Train.Patience == 100 }},
		{"train --num-workers 4 --torch-num-workers 8", func(c *cli) bool { return c.Train.Workers == 0 }},
		{"infer --num-workers 4 --workers 2", func(c *cli) bool { return c.Infer.Workers == 2 }},
		{"train --torch-recon-log-fixed-indices 1 2 3 --nepochs 9", func(c *cli) bool { return c.Train.NEpochs == 9 }},
		{"train --checkpoint-save-top-k -1 --nepochs 9", func(c *cli) bool { return c.Train.NEpochs == 9 }},
		{"infer --patch-weighting uniform", func(c *cli) bool { return c.Infer.Stitch == "tf" }},
		{"infer --patch-weighting probe", func(c *cli) bool { return c.Infer.Stitch == "probe" }},
		{"infer --torch-inference-batch-size 5", func(c *cli) bool { return c.Infer.BatchSize == 5 }},
		{"infer --inference-batch-size 5", func(c *cli) bool { return c.Infer.BatchSize == 5 }},
		{"infer --seed 5", func(c *cli) bool { return c.Infer.SubsampleSeed == 5 }},
		{"infer --debug", func(c *cli) bool { return c.Infer.Verbose }},
		{"infer --debug --n_images 5", func(c *cli) bool { return c.Infer.Verbose && c.Infer.NGroups == 5 }},
		{"infer --debug_dump --n_images 5", func(c *cli) bool { return c.Infer.NGroups == 5 }},
		{"infer --debug_dump dir --n_images 5", func(c *cli) bool { return c.Infer.NGroups == 5 }},
		{"train --loss mae --torch-loss-mode mae", func(c *cli) bool { return c.Train.Loss == "mae" }},
		{"train --n_groups 6 --n_images 6", func(c *cli) bool { return c.Train.NGroups == 6 }},
		{"train --nepochs 5 --nepochs 6", func(c *cli) bool { return c.Train.NEpochs == 6 }},
		{"train --torch-learning-rate 3e-4 --learning_rate 0.0003", func(c *cli) bool { return c.Train.LearningRate == 3e-4 }},
		{"train --disable_mlflow --enable_oversampling 0 --resume", func(c *cli) bool { return c.Train.Resume }},
	} {
		args := strings.Fields(tt.args)
		c, _, err := parse(t, append(args, required[args[0]]...)...)
		require.NoError(t, err, tt.args)
		require.True(t, tt.want(c), tt.args)
	}
}

func TestNotesOnOldFlags(t *testing.T) {
	for args, want := range map[string]string{
		"train --disable_mlflow":                               "--disable-mlflow has no effect: there is no MLflow",
		"train --num_workers 4":                                "--num-workers 4 has no effect: there are no processes that load frames; --workers sets the cores",
		"train --logger=mlflow":                                "--logger mlflow has no effect: history.csv and run.json are always written",
		"train --torch-recon-log-fixed-indices 1 2 3":          "--torch-recon-log-fixed-indices 1 2 3 has no effect: infer --save-patches keeps the patches",
		"infer --debug_dump":                                   "--debug-dump has no effect: infer --save-patches keeps the patches",
		"train --intensity_scale_trainable True":               "--intensity-scale-trainable has no effect: the intensity scale follows from the data and is fixed",
		"train --intensity_scale_trainable 0 --optimizer ADAM": "",
		"train --torch-loss-mode mae":                          "",
		"train --accelerator gpu":                              "--accelerator gpu has no effect: this program computes on the CPU",
		"infer --accelerator auto":                             "",
		"train --scheduler MultiStage":                         "--scheduler MultiStage is constant: the original program trains at a constant rate with it, and so does this one",
	} {
		command, _, _ := strings.Cut(args, " ")
		_, notes, err := parse(t, append(strings.Fields(args), required[command]...)...)
		require.NoError(t, err, args)
		require.Equal(t, want, strings.Join(notes, "\n"), args)
	}
	path := configuration(t, "s.yaml", "scheduler: Adaptive\n")
	c, notes, err := parse(t, "train", "--train-data-file=a.npz", "--config", path)
	require.NoError(t, err)
	require.Equal(t, "constant", c.Train.Scheduler)
	require.Len(t, notes, 1)
	require.Contains(t, notes[0], "scheduler Adaptive is constant: ")
	path = configuration(t, "c.yaml", "train:\n  torch_logger: csv\n  disable_mlflow: true\n  architecture: cnn\n  patch_weighting: uniform\n")
	_, notes, err = parse(t, "train", "--train-data-file=a.npz", "--config", path)
	require.NoError(t, err)
	require.Equal(t, []string{"disable-mlflow has no effect: there is no MLflow", "torch-logger csv has no effect: history.csv and run.json are always written"}, notes)
	o := ptycho("train", "--train-data-file=absent.npz", "--config", path, "--backend", "pytorch")
	requireFailure(t, o, exitFailed, "--backend pytorch has no effect: there is one implementation\ndisable-mlflow has no effect", "absent.npz")
	o = ptycho("train", "--train-data-file=absent.npz", "--disable_mlflow", "--quiet")
	require.NotContains(t, o.stderr, "mlflow")
}

func TestRefusedOldFlags(t *testing.T) {
	for _, tt := range []struct{ args, config, want string }{
		{"train --architecture fno", "", "--architecture fno: there is no other network; expected cnn"},
		{"train --optimizer sgd --weight_decay 0.1", "", "--optimizer sgd: there is no other optimiser; expected adam\n--weight-decay 0.1: weights do not decay; expected 0"},
		{"train --enable_oversampling", "", "--enable-oversampling: there is one group a frame"},
		{"train --enable_oversampling True", "", "--enable-oversampling: there is one group a frame"},
		{"train --torch-loss-mode huber", "", "--torch-loss-mode huber: there are other losses under --loss; expected mae or poisson"},
		{"train --probe-mask-diameter 64", "", "--probe-mask-diameter 64: the mask is a disk of diameter N/2; expected none"},
		{"train --ptycho_dir x", "", "--ptycho-dir x: a scan is one NPZ file; give it as --train-data-file"},
		{"train --logger", "", "--logger: expected a value"},
		{"train --logger --quiet", "", "--logger: expected a value"},
		{"train --torch-loss-mode mae --loss poisson", "", "--torch-loss-mode mae and --loss poisson are the same flag; give one of them"},
		{"train --loss poisson --torch-loss-mode mae", "", "--loss poisson and --torch-loss-mode mae are the same flag"},
		{"train --scheduler Adaptive --torch-scheduler Exponential", "", "--scheduler Adaptive and --torch-scheduler Exponential are the same flag"},
		{"train --n_groups 5 --n_images 6", "", "--n-groups 5 and --n-images 6 are the same flag; give one of them"},
		{"infer --n_images 6 --n_groups 5", "", "--n-images 6 and --n-groups 5 are the same flag; give one of them"},
		{"train --console-level DEBUG --quiet", "", "--quiet and --verbose can't be used together"},
		{"infer --patch-weighting probe --stitch tf", "", "--patch-weighting probe and --stitch tf are the same flag"},
		{"infer --architecture cnn", "", "unknown flag --architecture"},
		{"simulate --gridsize 2", "", "--gridsize 2: frames are not grouped before training; expected 1"},
		{"train", "optimizer: sgd", "optimizer sgd: there is no other optimiser; expected adam"},
		{"train", "enable_oversampling: true", "enable-oversampling: there is one group a frame"},
		{"train", "torch_loss_mode: mae\nloss: poisson", "loss poisson and torch-loss-mode mae are the same flag"},
		{"train", "n_groups: 5\nn_images: 6", "n-groups 5 and n-images 6 are the same flag"},
	} {
		args := strings.Fields(tt.args)
		args = append(args, required[args[0]]...)
		if tt.config != "" {
			path := configuration(t, "c.yaml", tt.config)
			args, tt.want = append(args, "--config", path), "configuration "+path+": "+tt.want
		}
		requireFailure(t, ptycho(args...), exitUsage, tt.want)
	}
}

// TestSharedConfiguration gives one file to two commands.
func TestSharedConfiguration(t *testing.T) {
	path := configuration(t, "c.yaml", "seed: 7\nsubsample_seed: 3\noptimizer: sgd\nprobe_mask: on\ntorch_loss_mode: mae\npatch_weighting: uniform\ndebug: 1\n")
	c, notes, err := parse(t, "infer", "--model-path=run", "--test-data=a.npz", "--config", path)
	require.NoError(t, err, "what is wrong with another command does not matter")
	require.Empty(t, notes)
	require.EqualValues(t, 3, c.Infer.SubsampleSeed, "seed is the seed of a training")
	require.Equal(t, "tf", c.Infer.Stitch)
	require.True(t, c.Infer.Verbose)

	path = configuration(t, "c.yaml", "torch_loss_mode: mae\nprobe_mask: on\n")
	c, _, err = parse(t, "train", "--train-data-file=a.npz", "--config", path)
	require.NoError(t, err)
	require.Equal(t, "mae", c.Train.Loss)
	require.True(t, c.Train.ProbeMask)
	c, _, err = parse(t, "train", "--train-data-file=a.npz", "--config", path, "--loss=poisson", "--probe_mask", "off")
	require.NoError(t, err)
	require.Equal(t, "poisson", c.Train.Loss, "flags win")
	require.False(t, c.Train.ProbeMask)

	path = configuration(t, "c.yaml", "console_level: ERROR\n")
	c, _, err = parse(t, "train", "--train-data-file=a.npz", "--config", path)
	require.NoError(t, err)
	require.True(t, c.Train.Quiet)
	c, _, err = parse(t, "train", "--train-data-file=a.npz", "--config", path, "--verbose")
	require.NoError(t, err)
	require.True(t, c.Train.Verbose && !c.Train.Quiet, "flags win over what they exclude")
}

func TestWordsForTrueAndFalse(t *testing.T) {
	for word, want := range map[string]bool{"True": true, "1": true, "on": true, "YES": true, "false": false, "0": false, "Off": false, "no": false} {
		for _, args := range [][]string{
			{"--object_big", word},
			{"--object_big=" + word},
			{"--config", configuration(t, "c.yaml", "object_big: "+word+"\n")},
			{"--config", configuration(t, "c.yaml", fmt.Sprintf("object_big: %q\n", word))},
		} {
			c, _, err := parse(t, append([]string{"train", "--train-data-file=a.npz"}, args...)...)
			require.NoError(t, err, args)
			require.Equal(t, want, *c.Train.ObjectBig, args)
		}
	}
}

// TestTableOfOldFlags looks for entries that no command line could reach and targets that are no flags.
func TestTableOfOldFlags(t *testing.T) {
	k, _ := parser(t)
	require.Same(t, findOld("train", "backend"), findOld("infer", "backend"), "the table is built once")
	for _, v := range oldValues() {
		require.Contains(t, allFlags(k.Model), v.flag)
	}
	seen := map[string]bool{}
	for _, f := range oldFlags() {
		for _, command := range strings.Fields(f.commands) {
			own := commandFlags(k.Model, command)
			require.Greater(t, len(own), 10, "%q is a command", command)
			for _, name := range strings.Fields(f.names) {
				require.Equal(t, canonical(name), name)
				require.NotContains(t, own, name, command)
				require.False(t, seen[command+name], "%s %s is listed twice", command, name)
				seen[command+name] = true
			}
			for _, flag := range f.becomes {
				if name, _, _ := strings.Cut(flag, "="); name != "" {
					require.Contains(t, own, name, f.names)
				}
			}
		}
		require.Equal(t, f.becomes[whatever] != "", f.why == "", "%s: a reason where it takes one", f.names)
	}
}

// row returns the line of docs/flags.md on an old flag.
func (f *oldFlag) row() string {
	code := func(s string) string { return "`" + s + "`" }
	var names, meanings []string
	for _, n := range strings.Fields(f.names) {
		names = append(names, code("--"+n))
	}
	for _, v := range slices.Sorted(maps.Keys(f.becomes)) {
		to, _ := strings.CutSuffix(f.becomes[v], "="+whatever)
		switch {
		case v == whatever && to == "":
			meanings = append(meanings, "no effect")
		case v == whatever:
			meanings = append(meanings, code("--"+to))
		case to == "":
			meanings = append(meanings, code(v)+" accepted")
		default:
			meanings = append(meanings, code(v)+" is "+code("--"+to))
		}
	}
	if _, ok := f.becomes[whatever]; !ok {
		meanings = append(meanings, "else refused")
	}
	if len(f.becomes) == 0 {
		meanings = []string{"refused"}
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", strings.Join(names, " "), f.commands, strings.Join(meanings, ", "), f.why)
}

// TestPageOfFlags compares docs/flags.md with the table.
func TestPageOfFlags(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "flags.md")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var before, rows, want []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "| `--") {
			rows = append(rows, line)
		} else {
			before = append(before, line)
		}
	}
	for _, f := range oldFlags() {
		want = append(want, f.row())
	}
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(append(before, want...), "\n")+"\n"), 0o644))
		return
	}
	require.Equal(t, want, rows, "run the test with -update")
}
