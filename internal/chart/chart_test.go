package chart

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
)

var example = Chart{
	Title: "A title",
	Notes: []string{"a note"},
	Axis:  "what it measures",
	Bars: []Bar{
		{Name: "first", Label: "one", Value: 1},
		{Name: "second", Label: "two", Value: 2, Low: 1.5, High: 2.5, Tone: Good},
	},
	Lines: []Line{{Value: 0.5, Label: "half"}},
}

func TestSVG(t *testing.T) {
	var out bytes.Buffer
	if err := example.Write(&out, "a.svg"); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{">A title<", ">a note<", ">what it measures<", ">first<", ">one<", ">second<", ">two<", ">half<", "#999999", "#009E73"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the picture", want)
		}
	}
	for decoder := xml.NewDecoder(&out); ; {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	var again bytes.Buffer
	if err := example.Write(&again, "b.svg"); err != nil || again.String() != text {
		t.Errorf("the same chart is drawn otherwise the second time (%v)", err)
	}
}

// TestInside looks for ink at the edge, which would be text that does not fit.
func TestInside(t *testing.T) {
	var out bytes.Buffer
	long := example
	long.Bars = append(long.Bars, Bar{Name: "a name that takes more room", Label: "and a label, too (12345 MiB)", Value: 8})
	if err := long.Write(&out, "a.png"); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for _, x := range []int{bounds.Min.X, bounds.Max.X - 1} {
			if r, g, b, _ := picture.At(x, y).RGBA(); r != 0xffff || g != 0xffff || b != 0xffff {
				t.Fatalf("the pixel at %d, %d is not white", x, y)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	if err := example.Write(io.Discard, "a.jpg"); err == nil || err.Error() != "a.jpg: want a name that ends in .svg or .png" {
		t.Errorf("error %v", err)
	}
	bad := Chart{Bars: []Bar{{Name: "bad", Value: math.NaN()}}}
	if err := bad.Write(io.Discard, "a.svg"); err == nil || err.Error() != "bad: the value is NaN" {
		t.Errorf("error %v", err)
	}
}
