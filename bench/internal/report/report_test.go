package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluicego/sluice/bench/internal/measure"
	"github.com/sluicego/sluice/bench/internal/report"
)

const page = `# Costs

About it.

|  |  |
| --- | ---: |
| Go | go1.26 |

**Goals**

|  | wanted | measured (least to most) | met |
| --- | ---: | ---: | ---: |
| fast | at least 10× | 12× | yes |
| small | at most 1.20× | 1.21× (1.10× to 1.30×) | **no** |

## One

Words.

![A picture](charts/one.svg)

**A step**

|  | time per step | least to most | ÷ a | least to most | allocations | bytes |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| a | 2.00 ns | 1.50 ns to 12.3 µs | 1× | 1× to 1× | 0 | 0 |
| b | 1.50 ms | 1.50 ms to 2 s | 1,234× | 0.500× to 2× | 5 | 289 |

- b: lacks c
`

func example(t *testing.T) report.Report {
	t.Helper()
	table, notes := report.Contest(measure.Result{
		Contest: measure.Contest{Name: "A step", Unit: "step"},
		Rows: []measure.Row{
			{Name: "a", NS: measure.Spread{Least: 1.5, Median: 2.001, Most: 12345}, Times: measure.Spread{Least: 1, Median: 1, Most: 1}},
			{
				Name: "b", Lacks: "lacks c", NS: measure.Spread{Least: 1.5e6, Median: 1.5e6, Most: 2e9},
				Times: measure.Spread{Least: 0.5, Median: 1234.4, Most: 2}, Allocs: 5, Bytes: 289,
			},
		},
	})
	return report.Report{
		Title: "Costs", About: []string{"About it."}, Facts: []report.Fact{{Name: "Go", Value: "go1.26"}},
		Sections: []report.Section{{
			Title: "One", About: []string{"Words."}, Tables: []report.Table{table}, Notes: notes,
			Goals: []report.Goal{
				report.AtLeast("fast", "%.0f×", 10, measure.Exactly(12)),
				report.AtMost("small", "%.2f×", 1.2, measure.Spread{Least: 1.1, Median: 1.21, Most: 1.3}),
			},
			Charts: []report.Chart{{
				File: "one", Alt: "A picture",
				Draw: report.Bars("Title", "times", []report.Bar{{Label: "b", Value: 1234}, {Label: "c", Value: 0.5}}),
			}},
		}},
	}
}

func TestWrite(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, example(t).Write(folder))
	text, err := os.ReadFile(filepath.Join(folder, "RESULTS.md"))
	require.NoError(t, err)
	assert.Equal(t, page, string(text))
	svg, err := os.ReadFile(filepath.Join(folder, "charts", "one.svg"))
	require.NoError(t, err)
	requireXML(t, svg, "Title", "1,234×")
}

func TestWrite_Refused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Error(t, example(t).Write(file))

	broken, wrong := example(t), errors.New("no ink")
	broken.Sections[0].Charts[0].Draw = func() ([]byte, error) { return nil, wrong }
	folder := t.TempDir()
	require.ErrorIs(t, broken.Write(folder), wrong)
	require.NoFileExists(t, filepath.Join(folder, "RESULTS.md"))
}

// requireXML asserts that a picture is sound, and that words are in it.
func requireXML(t *testing.T, svg []byte, words ...string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	for _, w := range words {
		require.Contains(t, string(svg), w)
	}
}

func TestCharts(t *testing.T) {
	svg, err := report.Lines("Growth", "entries", "nanoseconds", []report.Line{
		{Label: "ours", X: []float64{1, 10, 100}, Y: []float64{1, 1, 1}},
		{Label: "theirs", X: []float64{1, 10, 100}, Y: []float64{1, 10, 100}},
	})()
	require.NoError(t, err)
	requireXML(t, svg, "Growth", "entries", "nanoseconds", "ours", "theirs")

	svg, err = report.Stacks("Parts", "nanoseconds", []string{"first", "second"}, []report.Stack{
		{Label: "one", Parts: []float64{1, 2}}, {Label: "two", Parts: []float64{3, 0}},
	})()
	require.NoError(t, err)
	requireXML(t, svg, "Parts", "first", "second", "one", "two")
}

func TestFigures(t *testing.T) {
	for want, got := range map[string]string{
		"0":          report.Significant(0),
		"0.0123":     report.Significant(0.01234),
		"10.0":       report.Significant(9.996),
		"< 0.01":     report.Count(0.001),
		"0 ns":       report.Duration(0),
		"12.3":       report.Significant(12.34),
		"1,234":      report.Significant(1234.4),
		"-1,234,567": report.Significant(-1234567),
		"1,000,000":  report.Significant(1e6),
		"999 ns":     report.Duration(999),
		"1 µs":       report.Duration(1000),
		"2.50 s":     report.Duration(2.5e9),
		"0.500×":     report.Times(0.5),
	} {
		assert.Equal(t, want, got)
	}
}
