// Package report writes what was measured as a page of Markdown, with charts.
package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sluicego/sluice/bench/internal/measure"
)

// Report is a page.
type Report struct {
	Title    string
	About    []string // paragraphs
	Facts    []Fact   // of the machine and the versions
	Sections []Section
}

// Fact is a name and a value.
type Fact struct{ Name, Value string }

// Section is what one part of the bench found.
type Section struct {
	Title  string
	About  []string // paragraphs
	Goals  []Goal
	Tables []Table
	Charts []Chart
	Notes  []string // a list below the tables
}

// Goal is a figure that was asked for, and the one that was reached.
type Goal struct {
	What string // "a step: sluice ÷ table by hand"
	Want string // "at most 1.2"
	Got  string
	Met  bool
}

// AtLeast returns a goal that a median of this or more meets. Figures are written in
// the format.
func AtLeast(what, format string, want float64, got measure.Spread) Goal {
	return Goal{what, "at least " + fmt.Sprintf(format, want), spread(format, got), got.Median >= want}
}

// AtMost returns a goal that a median of this or less meets.
func AtMost(what, format string, want float64, got measure.Spread) Goal {
	return Goal{what, "at most " + fmt.Sprintf(format, want), spread(format, got), got.Median <= want}
}

// spread writes a median, and what it was the median of.
func spread(format string, s measure.Spread) string {
	if s.Least == s.Most {
		return fmt.Sprintf(format, s.Median)
	}
	return fmt.Sprintf(format+" ("+format+" to "+format+")", s.Median, s.Least, s.Most)
}

// Table is a table of texts. Its first column is words, the others are figures.
type Table struct {
	Caption string
	Header  []string
	Rows    [][]string
}

// Chart is a picture of the page.
type Chart struct {
	File string // without its extension
	Alt  string // what it shows, in a sentence
	Draw func() ([]byte, error)
}

// Prepare makes the folders of a page, so that it is known beforehand whether it can
// be written.
func Prepare(folder string) error {
	charts := filepath.Join(folder, "charts")
	if err := os.MkdirAll(charts, 0o755); err != nil { //nolint:gosec // for everybody to read
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// Write writes the page and its charts into a folder: RESULTS.md and charts/*.svg.
func (r Report) Write(folder string) error {
	charts := filepath.Join(folder, "charts")
	if err := Prepare(folder); err != nil {
		return err
	}
	for _, s := range r.Sections {
		for _, c := range s.Charts {
			svg, err := c.Draw()
			if err != nil {
				return fmt.Errorf("report: chart %s: %w", c.File, err)
			}
			if err := os.WriteFile(filepath.Join(charts, c.File+".svg"), svg, 0o644); err != nil { //nolint:gosec // for everybody to read
				return fmt.Errorf("report: %w", err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "RESULTS.md"), r.Markdown(), 0o644); err != nil { //nolint:gosec // for everybody to read
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// Markdown returns the page.
func (r Report) Markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n", r.Title)
	paragraphs(&b, r.About)
	facts := Table{Header: []string{"", ""}}
	for _, f := range r.Facts {
		facts.Rows = append(facts.Rows, []string{f.Name, f.Value})
	}
	facts.write(&b)
	r.writeGoals(&b)
	for _, s := range r.Sections {
		s.write(&b)
	}
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
}

// writeGoals writes the goals of all sections, if there are any.
func (r Report) writeGoals(b *bytes.Buffer) {
	t := Table{Caption: "Goals", Header: []string{"", "wanted", "measured (least to most)", "met"}}
	for _, s := range r.Sections {
		for _, g := range s.Goals {
			met := "yes"
			if !g.Met {
				met = "**no**"
			}
			t.Rows = append(t.Rows, []string{g.What, g.Want, g.Got, met})
		}
	}
	t.write(b)
}

func (s Section) write(b *bytes.Buffer) {
	fmt.Fprintf(b, "## %s\n\n", s.Title)
	paragraphs(b, s.About)
	for _, c := range s.Charts {
		fmt.Fprintf(b, "![%s](charts/%s.svg)\n\n", c.Alt, c.File)
	}
	for _, t := range s.Tables {
		t.write(b)
	}
	for _, n := range s.Notes {
		fmt.Fprintf(b, "- %s\n", n)
	}
	if len(s.Notes) > 0 {
		b.WriteString("\n")
	}
}

func paragraphs(b *bytes.Buffer, texts []string) {
	for _, p := range texts {
		fmt.Fprintf(b, "%s\n\n", p)
	}
}

func (t Table) write(b *bytes.Buffer) {
	if len(t.Rows) == 0 {
		return
	}
	if t.Caption != "" {
		fmt.Fprintf(b, "**%s**\n\n", t.Caption)
	}
	rule := make([]string, len(t.Header))
	for i := range rule {
		rule[i] = "---:"
	}
	rule[0] = "---"
	for _, row := range append([][]string{t.Header, rule}, t.Rows...) {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
	b.WriteString("\n")
}
