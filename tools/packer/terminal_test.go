//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal returns a new terminal and a function that returns what was written
// to it once it is closed.
func terminal(t *testing.T) (*os.File, func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal("unlocking the terminal:", err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal("asking for the terminal's number:", err)
	}
	slave, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.Copy(&text, master) // ends with EIO when the last slave is closed
	}()
	return slave, func() string {
		slave.Close()
		<-read
		return text.String()
	}
}

// screen returns what a terminal's line shows after some text: a carriage
// return goes to its beginning, and what follows replaces what was there.
func screen(text string) string {
	var line []rune
	at := 0
	for _, r := range text {
		if r == '\r' {
			at = 0
			continue
		}
		for len(line) <= at {
			line = append(line, ' ')
		}
		line[at] = r
		at++
	}
	return strings.TrimRight(string(line), " ")
}

// TestProgress writes and reads slowly, on a terminal and elsewhere.
func TestProgress(t *testing.T) {
	t.Setenv("TERM", "xterm")
	out := filepath.Join(t.TempDir(), "out")
	slowly := func(w *world) error {
		if err := w.writeFile(out, 0o666, 100, func(to io.Writer) error {
			for _, n := range []int{30, 12, 58} {
				if n == 12 {
					time.Sleep(1100 * time.Millisecond)
				}
				if _, err := to.Write(make([]byte, n)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		_, done := w.reading("executables", 100)
		done() // nothing to show yet
		m := newMeter(w.stderr, "reading executables", 100)
		m.began = m.began.Add(-time.Second)
		m.add(7)
		m.end()
		return nil
	}
	stderr, shown := terminal(t)
	if err := slowly(&world{context.Background(), io.Discard, stderr}); err != nil {
		t.Fatal(err)
	}
	text := shown()
	for _, want := range []string{"\r" + out + ":  42%", "\rreading executables:   7%"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	if left := screen(text); left != "" {
		t.Errorf("%q is left on the terminal", left)
	}

	t.Setenv("TERM", "dumb")
	stderr, shown = terminal(t)
	if err := slowly(&world{context.Background(), io.Discard, stderr}); err != nil {
		t.Fatal(err)
	}
	if text := shown(); text != "" {
		t.Errorf("%q on a dumb terminal", text)
	}
	var elsewhere strings.Builder
	if err := slowly(&world{context.Background(), io.Discard, &elsewhere}); err != nil || elsewhere.Len() > 0 {
		t.Errorf("%q where no terminal is (%v)", elsewhere.String(), err)
	}
}

// TestQuickIsSilent packs on a terminal: what takes no second shows nothing.
func TestQuickIsSilent(t *testing.T) {
	t.Setenv("TERM", "xterm")
	stderr, shown := terminal(t)
	file := create(t, filepath.Join(t.TempDir(), "app"), 1, 2)
	began := time.Now()
	if status := run(context.Background(), []string{"thin", "-level", "v1", "-o", file, file}, io.Discard, stderr); status != 0 {
		t.Errorf("status %d", status)
	}
	took := time.Since(began)
	if text := shown(); text != "" && took < time.Second {
		t.Errorf("%q after %v", text, took)
	}
}
