//go:build tools

// Package numeric has no code: this keeps in go.mod what Bazel tests.
package numeric

import (
	_ "gonum.org/v1/gonum/floats"
	_ "gonum.org/v1/gonum/graph/layout"

	// What the tests of graph/layout need.
	_ "gonum.org/v1/plot/cmpimg"
	_ "gonum.org/v1/plot/plotter"
	_ "gonum.org/v1/plot/vg/vgimg"
)
