package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const width = 22 * vg.Centimeter

// The colours can be told apart by those who do not see all of them, and stand
// on light and dark pages, since charts bring their own ground.
var colours = []color.Color{
	color.RGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff},
	color.RGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff},
	color.RGBA{R: 0x00, G: 0x9e, B: 0x73, A: 0xff},
	color.RGBA{R: 0xcc, G: 0x79, B: 0xa7, A: 0xff},
	color.RGBA{R: 0x56, G: 0xb4, B: 0xe9, A: 0xff},
	color.RGBA{R: 0xe6, G: 0x9f, B: 0x00, A: 0xff},
	color.RGBA{R: 0x99, G: 0x99, B: 0x99, A: 0xff},
}

// Bar is a bar of [Bars].
type Bar struct {
	Label string
	Value float64
}

// Bars returns a chart of horizontal bars from 1 on, in powers of ten, the first
// at the top. Values are ratios: below 1 a bar goes to the left.
func Bars(title, axis string, bars []Bar) func() ([]byte, error) {
	return func() ([]byte, error) {
		p := newPlot(title)
		p.X.Label.Text = axis + " (logarithmic)"
		p.X.Tick.Marker = powers{}
		p.Add(grid(true))
		values := make(plotter.Values, len(bars))
		labels := make([]string, len(bars))
		for i, b := range bars {
			// Axes grow upwards.
			at := len(bars) - 1 - i
			values[at] = math.Log10(b.Value)
			labels[at] = fmt.Sprintf("  %s  %s", b.Label, Times(b.Value))
		}
		chart, err := plotter.NewBarChart(values, vg.Points(12))
		if err != nil {
			return nil, err
		}
		chart.Horizontal = true
		chart.Color = colours[0]
		chart.LineStyle.Width = 0
		p.Add(chart)
		p.NominalY(labels...)
		p.X.Min, p.X.Max = math.Min(p.X.Min, 0), p.X.Max+0.1
		return svg(p, vg.Points(float64(70+20*len(bars))))
	}
}

// Stack is a bar of [Stacks]: parts that follow each other.
type Stack struct {
	Label string
	Parts []float64
}

// Stacks returns a chart of horizontal bars that are made of parts, the first at
// the top.
func Stacks(title, axis string, parts []string, stacks []Stack) func() ([]byte, error) {
	return func() ([]byte, error) {
		p := newPlot(title)
		p.X.Label.Text = axis
		p.Add(grid(true))
		labels := make([]string, len(stacks))
		var below *plotter.BarChart
		for n, part := range parts {
			values := make(plotter.Values, len(stacks))
			for i, s := range stacks {
				at := len(stacks) - 1 - i
				values[at], labels[at] = s.Parts[n], "  "+s.Label
			}
			chart, err := plotter.NewBarChart(values, vg.Points(26))
			if err != nil {
				return nil, err
			}
			chart.Horizontal = true
			chart.Color = colours[n%len(colours)]
			chart.LineStyle.Width = 0
			if below != nil {
				chart.StackOn(below)
			}
			below = chart
			p.Add(chart)
			p.Legend.Add(part, chart)
		}
		p.Legend.Top = true
		p.NominalY(labels...)
		p.X.Min = 0
		// Room for the legend beside the bars.
		p.X.Max *= 1.45
		return svg(p, vg.Points(float64(80+40*len(stacks))))
	}
}

// Line is a line of [Lines].
type Line struct {
	Label string
	X, Y  []float64
}

// Lines returns a chart of lines, with powers of ten on both axes.
func Lines(title, x, y string, lines []Line) func() ([]byte, error) {
	return func() ([]byte, error) {
		p := newPlot(title)
		p.X.Label.Text, p.Y.Label.Text = x, y
		p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
		p.X.Tick.Marker, p.Y.Tick.Marker = decades{}, decades{}
		p.Add(grid(false))
		for n, l := range lines {
			points := make(plotter.XYs, len(l.X))
			for i := range points {
				points[i] = plotter.XY{X: l.X[i], Y: l.Y[i]}
			}
			line, dots, err := plotter.NewLinePoints(points)
			if err != nil {
				return nil, err
			}
			line.Color, line.Width = colours[n%len(colours)], vg.Points(1.5)
			dots.Color, dots.Shape = colours[n%len(colours)], draw.CircleGlyph{}
			p.Add(line, dots)
			p.Legend.Add(l.Label, line, dots)
		}
		p.Legend.Top, p.Legend.Left = true, true
		// Room for the legend above the lines, and for the last number.
		p.Y.Min, p.Y.Max = p.Y.Min/1.5, p.Y.Max*math.Pow(10, 0.25*float64(len(lines)))
		p.X.Max *= 1.5
		return svg(p, 9*vg.Centimeter)
	}
}

// powers marks an axis of logarithms.
type powers struct{}

func (powers) Ticks(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	for e := math.Floor(least); e <= most; e++ {
		ticks = append(ticks, plot.Tick{Value: e, Label: Times(math.Pow(10, e))})
	}
	return ticks
}

// decades marks a logarithmic axis by its powers of ten.
type decades struct{}

func (decades) Ticks(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	for e := math.Ceil(math.Log10(least)); e <= math.Log10(most); e++ {
		value := math.Pow(10, e)
		ticks = append(ticks, plot.Tick{Value: value, Label: Significant(value)})
	}
	return ticks
}

func newPlot(title string) *plot.Plot {
	p := plot.New()
	for _, style := range []*draw.TextStyle{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		style.Font.Variant = "Sans"
	}
	p.Title.Text = title
	p.Title.Padding = vg.Points(8)
	p.BackgroundColor = color.White
	p.Legend.Padding = vg.Points(2)
	return p
}

// grid returns lines behind the data, upright ones alone if so.
func grid(upright bool) *plotter.Grid {
	g := plotter.NewGrid()
	pale := color.Gray{Y: 0xdd}
	g.Vertical.Color, g.Horizontal.Color = pale, pale
	if upright {
		g.Horizontal.Width = 0
	}
	return g
}

func svg(p *plot.Plot, height vg.Length) ([]byte, error) {
	writer, err := p.WriterTo(width, height, "svg")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := writer.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
