package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// outputFlags are how a command talks.
type outputFlags struct {
	Quiet     bool   `help:"Print errors only." group:"Output" xor:"talk"`
	Verbose   bool   `help:"Print more, such as the resolved configuration." group:"Output" xor:"talk"`
	LogFormat string `help:"Messages as text on standard error, or as JSON lines on standard output (${enum})." enum:"text,json" default:"text" group:"Output"`
}

// output is where a command writes.
type output struct {
	stdout, stderr io.Writer
	args           []string       // the normalised command line
	values         map[string]any // what every flag of the command resolved to, by name

	flags  outputFlags
	logger *slog.Logger // nil for text
	bar    *progressbar.ProgressBar
}

func (o *output) setup(f outputFlags) {
	o.flags = f
	if f.LogFormat == "json" {
		o.logger = slog.New(slog.NewJSONHandler(o.stdout, nil))
	}
}

// info prints a message with its figures, key and value in turn.
func (o *output) info(text string, kv ...any) {
	switch {
	case o.flags.Quiet:
	case o.logger != nil:
		o.logger.Info(text, kv...)
	default:
		o.clearBar()
		fmt.Fprintln(o.stderr, textLine(text, kv))
	}
}

// warn prints a message that deserves attention.
func (o *output) warn(text string, kv ...any) {
	switch {
	case o.flags.Quiet:
	case o.logger != nil:
		o.logger.Warn(text, kv...)
	default:
		o.clearBar()
		fmt.Fprintln(o.stderr, "warning: "+textLine(text, kv))
	}
}

// detail prints a message with --verbose only.
func (o *output) detail(text string, kv ...any) {
	if o.flags.Verbose {
		o.info(text, kv...)
	}
}

func textLine(text string, kv []any) string {
	var b strings.Builder
	b.WriteString(text)
	for i := 0; i+1 < len(kv); i += 2 {
		sep := "  "
		if i == 0 && text == "" {
			sep = ""
		}
		fmt.Fprintf(&b, "%s%v %v", sep, kv[i], brief(kv[i+1]))
	}
	return b.String()
}

// brief formats figures for people.
func brief(v any) string {
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("%.4g", v)
	case time.Duration:
		return v.Round(time.Second).String()
	}
	return fmt.Sprint(v)
}

// live reports whether there is somebody to watch a progress bar.
func (o *output) live() bool {
	f, ok := o.stderr.(*os.File)
	return ok && !o.flags.Quiet && o.logger == nil && term.IsTerminal(int(f.Fd()))
}

// progress shows that done of total steps are done, on a terminal only.
func (o *output) progress(done, total int, text string) {
	if !o.live() {
		return
	}
	if o.bar == nil || o.bar.GetMax() != total || o.bar.IsFinished() {
		o.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(o.stderr), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionSetWidth(20),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	o.bar.Describe(text)
	_ = o.bar.Set(done) // a bar that cannot be drawn is no reason to stop
}

func (o *output) clearBar() {
	if o.bar != nil {
		_ = o.bar.Clear()
		o.bar = nil
	}
}
