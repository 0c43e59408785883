package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ptycho/bench"
)

// document is what was measured.
type document struct {
	machine  string
	minutes  float64
	chapters []chapter
	results  [][]result // of the cases of each chapter
	pictures string     // directory of the pictures as the document names it; empty for none
}

// machine says when, on what and with which program the figures are measured.
func machine(ctx context.Context, p *program) (string, error) {
	r, err := bench.Run(ctx, bench.Options{})
	if err != nil {
		return "", err
	}
	version, _, err := p.command(ctx, "--version")
	if err != nil {
		return "", err
	}
	m := r.Machine
	return fmt.Sprintf("%s, ptycho %s, %s, %d cores, %s kernels, %s", time.Now().Format(time.DateOnly), strings.TrimSpace(string(version)), m.CPU, m.Cores, m.Kernel, m.Go), nil
}

// save writes the document to a file, and the pictures into the directory beside it that has its name.
func (d *document) save(path string) error {
	d.pictures = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	dir := filepath.Join(filepath.Dir(path), d.pictures)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, results := range d.results {
		for _, r := range results {
			for _, pic := range r.pictures {
				if err := copyPicture(filepath.Join(dir, pic.name), pic.path); err != nil {
					return err
				}
			}
		}
	}
	var b bytes.Buffer
	if err := d.write(&b); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o666)
}

const preface = `# Quality

How good the results are, beside what they must be. ` + "`make quality`" + ` measures all of this and writes this page; it ends with an error when something misses
its must. Every case runs the built program as a user would. ` + "`go run ./bench/quality -only star-1,doctor`" + ` measures some of them and prints the
figures, ` + "`-list`" + ` lists them. The measured data are not part of the repository: ` + "`-data`" + ` says where they are, and cases whose data are absent are skipped.
`

// write writes the document as Markdown.
func (d *document) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s. Time to measure everything here: %.0f min.\n", preface, d.machine, math.Ceil(d.minutes))
	for i, c := range d.chapters {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", c.title, c.text)
		writeRows(&b, []string{"case", "what", "must", "measured", ""}, d.rows(i))
		for _, r := range d.results[i] {
			if t := r.table; t != nil {
				fmt.Fprintf(&b, "\n%s:\n\n", t.title)
				writeRows(&b, t.header, t.rows)
			}
		}
		for _, r := range d.results[i] {
			for _, pic := range r.pictures {
				if d.pictures != "" {
					fmt.Fprintf(&b, "\n![%s](%s/%s)\n\n%s.\n", pic.caption, d.pictures, pic.name, pic.caption)
				}
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// rows returns the lines of the table of chapter i.
func (d *document) rows(i int) (rows [][]string) {
	for k, t := range d.chapters[i].cases {
		r := d.results[i][k]
		var must, values []string
		for _, m := range t.must {
			must = append(must, m.String())
		}
		for _, v := range r.values {
			values = append(values, v.String())
		}
		state := "met"
		switch {
		case r.skipped():
			state = "skipped: " + r.err.Error()
		case r.err != nil:
			state = "**failed**: " + r.err.Error()
		case r.missed != nil:
			state = "**missed**: " + strings.Join(r.missed, "; ")
		}
		rows = append(rows, []string{t.name, t.what, strings.Join(must, "; "), strings.Join(values, "; "), state})
	}
	return rows
}

// writeRows writes a table, in whose cells a bar would end them.
func writeRows(b *strings.Builder, header []string, rows [][]string) {
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + strings.NewReplacer("|", `\|`, "\n", " ").Replace(c) + " ")
		}
		b.WriteString("|\n")
	}
	line(header)
	b.WriteString(strings.Repeat("|---", len(header)) + "|\n")
	for _, r := range rows {
		line(r)
	}
}
