// Command ptycho trains a physics-informed neural network on ptychographic scans and reconstructs objects
// with it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"ptycho/internal/kernel"
	"ptycho/train"
)

// version is set by the linker.
var version = "dev"

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1   // the input or the run failed
	exitUsage       = 2   // wrong usage
	exitInterrupted = 130 // interrupted
)

type cli struct {
	Simulate simulateCmd `cmd:"" help:"Simulate a scan with known truth."`
	Train    trainCmd    `cmd:"" help:"Train a network on a scan."`
	Infer    inferCmd    `cmd:"" help:"Reconstruct an object from a scan with a trained network."`
	Refine   refineCmd   `cmd:"" help:"Reconstruct an object from a scan by iteration, from a network's object or without."`
	Inspect  inspectCmd  `cmd:"" help:"Describe a dataset, a checkpoint or a reconstruction."`
	Doctor   doctorCmd   `cmd:"" help:"Examine a scan before anything is trained on it: file, detector, beam, positions, probe, orientation."`
	Bench    benchCmd    `cmd:"" help:"Measure how fast this machine is."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	collectEarly()
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// collectEarly bounds garbage to a tenth of what is in use, unless the user has set GOGC: nearly all of that is a few
// large arrays that live to the end, beside which as much garbage again would only double the memory.
func collectEarly() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(10)
	}
}

// errInterrupted is how a command ends that was interrupted but has something to say about it.
var errInterrupted = errors.New("interrupted")

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exited carries an exit code out of kong, which ends --help and --version by calling Exit.
type exited int

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(exited)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()
	err := execute(ctx, args, stdout, stderr)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, train.ErrInterrupted), errors.Is(err, errInterrupted):
		fmt.Fprintf(stderr, "ptycho: %v\n", err)
		return exitInterrupted
	case errors.Is(err, context.Canceled): // commands that write when all is computed
		fmt.Fprintf(stderr, "ptycho: %v; nothing was written\n", errInterrupted)
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "ptycho: %v\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "ptycho: %v\n", err)
	return exitFailed
}

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c cli
	app := func(opts ...kong.Option) (*kong.Kong, error) {
		return kong.New(&c, append([]kong.Option{
			kong.Name("ptycho"),
			kong.Description("Ptychography with a physics-informed neural network. Flags may be spelled with - or _."),
			kong.Vars{"version": version},
			kong.Writers(stdout, stderr),
			kong.Exit(func(code int) { panic(exited(code)) }),
			kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		}, opts...)...)
	}
	k, err := app()
	if err != nil {
		return err
	}
	args, notes, err := normalise(k.Model, args)
	if err != nil {
		return usageError{fmt.Errorf("%w\nsee ptycho --help", err)}
	}
	resolver, more, err := configResolver(k.Model, args)
	if err != nil {
		return err
	}
	if resolver != nil {
		if k, err = app(kong.Resolvers(resolver)); err != nil {
			return err
		}
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := k.Parse(args)
	if err != nil {
		hint := "see ptycho --help"
		if resolver != nil {
			hint += "; some flags are those of " + resolver.path
		}
		return usageError{fmt.Errorf("%w\n%s", err, hint)}
	}
	if err := kernel.EnvError(); err != nil {
		return usageError{err}
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	o := &output{stdout: stdout, stderr: stderr, args: args, values: flagValues(parsed.Selected())}
	o.setup(c.talk(parsed.Selected().Name))
	for _, n := range append(notes, more...) {
		o.info(n)
	}
	return parsed.Run(o)
}

// talk returns how a command is to talk.
func (c *cli) talk(command string) outputFlags {
	switch command {
	case "simulate":
		return c.Simulate.outputFlags
	case "train":
		return c.Train.outputFlags
	case "infer":
		return c.Infer.outputFlags
	case "refine":
		return c.Refine.outputFlags
	}
	return outputFlags{}
}

// flagValues returns what the flags of a command resolved to, under the original program's spelling.
func flagValues(command *kong.Node) map[string]any {
	values := map[string]any{}
	for _, f := range command.Flags {
		values[strings.ReplaceAll(f.Name, "-", "_")] = f.Target.Interface()
	}
	return values
}
