// Package chart draws horizontal bars with intervals: what all pictures of this
// module are. The drawing itself is gonum.org/v1/plot's.
package chart

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	// Formats of WriteTo.
	_ "gonum.org/v1/plot/vg/vgimg"
	_ "gonum.org/v1/plot/vg/vgsvg"
)

// Tone is the colour of a bar, by what it means.
type Tone int

// The tones.
const (
	Plain Tone = iota // what others are compared with
	Good
	Bad
	Unclear
)

// Colours that people with any colour vision tell apart: Okabe and Ito, "Color
// Universal Design", 2008.
var tones = map[Tone]color.Color{
	Plain:   color.NRGBA{0x99, 0x99, 0x99, 0xff},
	Good:    color.NRGBA{0x00, 0x9e, 0x73, 0xff},
	Bad:     color.NRGBA{0xd5, 0x5e, 0x00, 0xff},
	Unclear: color.NRGBA{0xf0, 0xe4, 0x42, 0xff},
}

// Bar is one bar. Low and High are ends of its interval; both equal to Value,
// or both 0, stand for none. Label is written behind it.
type Bar struct {
	Name  string
	Label string
	Value float64
	Low   float64
	High  float64
	Tone  Tone
}

// Line is a vertical line with a label at its top.
type Line struct {
	Value float64
	Label string
}

// Chart is a picture. Bars stand from top to bottom.
type Chart struct {
	Title string
	Notes []string // below the title
	Axis  string   // what the bars measure
	Bars  []Bar
	Lines []Line
}

const (
	barWidth  = 4 * vg.Millimeter
	rowHeight = 8 * vg.Millimeter
	frame     = 36 * vg.Millimeter // title, notes and axis together
	width     = 180 * vg.Millimeter
	margin    = 3 * vg.Millimeter
)

// Write writes the picture in the format that the path's extension names: svg
// or png.
func (c *Chart) Write(w io.Writer, path string) error {
	format := strings.TrimPrefix(filepath.Ext(path), ".")
	if format != "svg" && format != "png" {
		return fmt.Errorf("%s: want a name that ends in .svg or .png", path)
	}
	p, err := c.plot()
	if err != nil {
		return err
	}
	height := frame + rowHeight*vg.Length(len(c.Bars)) + 5*vg.Millimeter*vg.Length(len(c.Notes))
	picture, err := draw.NewFormattedCanvas(width, height, format)
	if err != nil {
		return err
	}
	canvas := draw.New(picture)
	canvas.SetColor(color.White)
	canvas.Fill(canvas.Rectangle.Path())
	p.Draw(draw.Crop(canvas, margin, -margin, margin, -margin))
	var buffer bytes.Buffer
	if _, err := picture.WriteTo(&buffer); err != nil {
		return err
	}
	_, err = w.Write(buffer.Bytes())
	return err
}

func init() { plot.DefaultFont.Variant = "Sans" }

func (c *Chart) plot() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = strings.Join(append([]string{c.Title}, c.Notes...), "\n")
	p.Title.TextStyle.Font.Size = vg.Points(11)
	p.Title.Padding = 3 * vg.Millimeter
	p.X.Label.Text = c.Axis
	p.X.Min = 0
	p.Y.Tick.Length, p.Y.LineStyle.Width = 0, 0
	names := make([]string, len(c.Bars))
	most := 0.0
	for i, bar := range c.Bars {
		at := float64(len(c.Bars) - 1 - i) // gonum counts from below
		names[len(c.Bars)-1-i] = bar.Name
		if err := add(p, bar, at); err != nil {
			return nil, fmt.Errorf("%s: %w", bar.Name, err)
		}
		most = max(most, bar.Value, bar.High)
	}
	p.NominalY(names...)
	p.Y.Tick.Label.Font.Size = vg.Points(9)
	p.X.Tick.Label.Font.Size, p.X.Label.TextStyle.Font.Size = vg.Points(9), vg.Points(10)
	p.Y.Min, p.Y.Max = -0.6, float64(len(c.Bars))-0.4
	for _, line := range c.Lines {
		most = max(most, line.Value)
		if err := c.addLine(p, line); err != nil {
			return nil, err
		}
	}
	p.X.Max = most * 1.3 // room for labels
	if p.X.Max == 0 {
		p.X.Max = 1
	}
	return p, nil
}

func add(p *plot.Plot, bar Bar, at float64) error {
	if math.IsNaN(bar.Value) || math.IsInf(bar.Value, 0) {
		return fmt.Errorf("the value is %v", bar.Value)
	}
	drawn, err := plotter.NewBarChart(plotter.Values{bar.Value}, barWidth)
	if err != nil {
		return err
	}
	drawn.Horizontal, drawn.XMin, drawn.Color, drawn.LineStyle.Width = true, at, tones[bar.Tone], 0
	p.Add(drawn)
	end := bar.Value
	if bar.Low != bar.High {
		interval, err := plotter.NewXErrorBars(struct {
			plotter.XYs
			plotter.XErrors
		}{
			plotter.XYs{{X: bar.Value, Y: at}},
			plotter.XErrors{{Low: bar.Value - bar.Low, High: bar.High - bar.Value}},
		})
		if err != nil {
			return err
		}
		p.Add(interval)
		end = max(end, bar.High)
	}
	return label(p, bar.Label, end, at, vg.Point{X: 2 * vg.Millimeter, Y: -vg.Points(3.5)})
}

func (c *Chart) addLine(p *plot.Plot, line Line) error {
	top := float64(len(c.Bars)) - 0.45
	drawn, err := plotter.NewLine(plotter.XYs{{X: line.Value, Y: -0.6}, {X: line.Value, Y: top}})
	if err != nil {
		return err
	}
	drawn.Dashes = []vg.Length{vg.Points(3), vg.Points(3)}
	p.Add(drawn)
	return label(p, line.Label, line.Value, top, vg.Point{X: vg.Points(2), Y: -vg.Points(4)})
}

func label(p *plot.Plot, what string, x, y float64, offset vg.Point) error {
	if what == "" {
		return nil
	}
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: x, Y: y}}, Labels: []string{what}})
	if err != nil {
		return err
	}
	labels.Offset = offset
	labels.TextStyle = []text.Style{labels.TextStyle[0]}
	labels.TextStyle[0].Font.Variant, labels.TextStyle[0].Font.Size = "Sans", vg.Points(9)
	labels.TextStyle[0].XAlign = draw.XLeft
	p.Add(labels)
	return nil
}
