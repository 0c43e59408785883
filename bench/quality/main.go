// Command quality measures how good the results of the program are: it runs the built binary as a user would, on measured and
// simulated scans, holds the figures to what they must be, and writes them as a document.
//
//	go run ./bench/quality -binary bin/ptycho -data ../shared/data -out docs/quality.md
//
// The exit code is 1 when a case misses what it must reach or fails, and 2 after wrong usage. Cases whose data are absent are skipped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func chapters() []chapter { return []chapter{refinement()} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], chapters(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, all []chapter, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("quality", flag.ContinueOnError)
	f.SetOutput(stderr)
	binary := f.String("binary", "bin/ptycho", "the built program")
	data := f.String("data", "../shared/data", "directory of the measured data")
	out := f.String("out", "", "document to write, with its pictures beside it; by default it is printed, without pictures")
	work := f.String("work", "", "directory for scans and results, which stay there; by default one that is removed")
	only := f.String("only", "", "names of cases, separated by commas; by default all")
	list := f.Bool("list", false, "list the cases")
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	chosen, err := choose(all, *only)
	if err != nil {
		fmt.Fprintln(stderr, "quality:", err)
		return 2
	}
	if *list {
		for _, c := range chosen {
			for _, t := range c.cases {
				fmt.Fprintf(stdout, "%-16s %s\n", t.name, t.what)
			}
		}
		return 0
	}
	p, err := newProgram(*binary, *data, *work, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "quality:", err)
		return 1
	}
	good, err := measure(ctx, p, chosen, *out, stdout)
	if *work == "" {
		err = errors.Join(err, os.RemoveAll(p.work))
	}
	if err != nil {
		fmt.Fprintln(stderr, "quality:", err)
	}
	if err != nil || !good {
		return 1
	}
	return 0
}

// choose returns the chapters with the named cases only; all for no name.
func choose(all []chapter, only string) ([]chapter, error) {
	if only == "" {
		return all, nil
	}
	names := strings.Split(only, ",")
	var chosen []chapter
	var known []string
	for _, c := range all {
		var cases []testCase
		for _, t := range c.cases {
			known = append(known, t.name)
			if slices.Contains(names, t.name) {
				cases = append(cases, t)
			}
		}
		if c.cases = cases; cases != nil {
			chosen = append(chosen, c)
		}
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("-only %s: expected some of %s", n, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// measure runs the cases and writes the document. It tells whether none of them missed what it must reach or failed.
func measure(ctx context.Context, p *program, chosen []chapter, out string, stdout io.Writer) (good bool, err error) {
	d, began := document{}, time.Now()
	good = true
	for _, c := range chosen {
		results := make([]result, len(c.cases))
		for i, t := range c.cases {
			results[i] = t.measure(ctx, p)
			good = good && !results[i].bad()
			if err := ctx.Err(); err != nil {
				return false, err
			}
		}
		d.chapters, d.results = append(d.chapters, c), append(d.results, results)
	}
	d.minutes = time.Since(began).Minutes()
	if d.machine, err = machine(ctx, p); err != nil {
		return false, err
	}
	if out == "" {
		return good, d.write(stdout)
	}
	return good, d.save(out)
}
