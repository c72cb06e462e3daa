package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"rules_go_multiarch/tools/packer/internal/variant"
)

// meter shows on a terminal how far something is, once that has taken a second.
type meter struct {
	w     io.Writer // or nil: nobody is looking
	label string
	total int64
	began time.Time

	mutex sync.Mutex
	done  int64
	shown time.Time
}

func newMeter(w io.Writer, label string, total int64) *meter {
	m := &meter{label: escaped(label), total: total, began: time.Now()}
	if total > 0 && isTerminal(w) {
		m.w = raw(w)
	}
	return m
}

func (m *meter) add(n int64) {
	if m.w == nil {
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.done += n
	now := time.Now()
	if now.Sub(m.began) < time.Second || now.Sub(m.shown) < 100*time.Millisecond {
		return
	}
	m.shown = now
	fmt.Fprintf(m.w, "\r%s: %3d%%", m.label, min(100*m.done/m.total, 100))
}

// end clears the line.
func (m *meter) end() {
	if !m.shown.IsZero() {
		fmt.Fprintf(m.w, "\r%s\r", strings.Repeat(" ", len(m.label)+6))
	}
}

// reading returns a context for reading so many bytes, which shows how far that
// is, and what ends the showing.
func (w *world) reading(label string, total int64) (context.Context, func()) {
	m := newMeter(w.stderr, "reading "+label, total)
	return variant.WithProgress(w.ctx, m.add), m.end
}

// readingAll does the same for variants that are about to be packed into a file.
func (w *world) readingAll(variants []*variant.Variant) (context.Context, func()) {
	var total int64
	for _, v := range variants {
		total += v.Size
	}
	return w.reading("executables", total)
}

// isTerminal reports whether somebody may be looking.
func isTerminal(w io.Writer) bool {
	file, ok := raw(w).(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
