package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"rules_go_multiarch/tools/packer/internal/atomicfile"
)

// writeFile writes an output whole or not at all. size is what fill is about to
// write, for the progress on a terminal.
func (w *world) writeFile(path string, mode os.FileMode, size int64, fill func(io.Writer) error) error {
	return w.write(path, mode, size, func(_ *os.File, out io.Writer) error { return fill(out) })
}

// writeCopy does the same for an output that keeps the permissions of an input,
// whatever the umask.
func (w *world) writeCopy(path string, mode os.FileMode, size int64, fill func(io.Writer) error) error {
	return w.write(path, mode|0o200, size, func(f *os.File, out io.Writer) error {
		if err := fill(out); err != nil {
			return err
		}
		if atomicfile.InPlace(path) {
			return nil
		}
		return f.Chmod(mode)
	})
}

func (w *world) write(path string, mode os.FileMode, size int64, fill func(*os.File, io.Writer) error) error {
	p := &progress{world: w, path: path, meter: newMeter(w.stderr, path, size)}
	err := atomicfile.Write(path, mode, func(f *os.File) error {
		p.file = f
		var out io.Writer = p
		if !atomicfile.InPlace(path) {
			out = rewritable{p}
		}
		if err := fill(f, out); err != nil {
			if p.failed != nil {
				return fmt.Errorf("%s: %w", path, p.failed)
			}
			return err
		}
		return w.ctx.Err()
	})
	p.meter.end()
	return err
}

// writeJSON writes a value as indented JSON.
func (w *world) writeJSON(value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.stdout.Write(append(text, '\n'))
	return err
}

// checkApart refuses an output that is one of the inputs, which it would
// replace.
func checkApart(out string, inputs ...string) error {
	target, err := os.Stat(out)
	if err != nil {
		return nil
	}
	for _, in := range inputs {
		if info, err := os.Stat(in); err == nil && os.SameFile(target, info) {
			return fmt.Errorf("%s: is an input too: want another -o OUT", out)
		}
	}
	return nil
}

// chunk is how many bytes are copied before the context is looked at.
const chunk = 8 << 20

// progress is a writer into an output. It stops when the context ends, and
// shows how far it is.
type progress struct {
	world  *world
	path   string
	file   *os.File
	meter  *meter
	failed error // of writing, not of reading
}

// Write implements io.Writer.
func (p *progress) Write(data []byte) (int, error) {
	if err := p.world.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.file.Write(data)
	p.meter.add(int64(n))
	return n, p.fail(err)
}

// rewritable is an output of which parts may be written again.
type rewritable struct{ *progress }

// WriteAt implements io.WriterAt.
func (r rewritable) WriteAt(data []byte, offset int64) (int, error) {
	n, err := r.file.WriteAt(data, offset)
	return n, r.fail(err)
}

// ReadFrom implements io.ReaderFrom, so that the kernel copies between files.
func (p *progress) ReadFrom(r io.Reader) (total int64, err error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: r, N: 1<<63 - 1}
	}
	for limited.N > 0 {
		if err := p.world.ctx.Err(); err != nil {
			return total, err
		}
		part := &io.LimitedReader{R: limited.R, N: min(limited.N, chunk)}
		want := part.N
		n, err := p.file.ReadFrom(part)
		total += n
		limited.N -= n
		p.meter.add(n)
		if err != nil {
			return total, p.fail(err)
		}
		if n < want {
			break
		}
	}
	return total, nil
}

// fail keeps an error of the file system about the output, without the
// temporary name.
func (p *progress) fail(err error) error {
	var bad *os.PathError
	if err != nil && p.failed == nil && errors.As(err, &bad) {
		p.failed = bad.Err
	} else if err != nil && p.failed == nil {
		var call *os.SyscallError
		if errors.As(err, &call) {
			p.failed = call.Err
		}
	}
	return err
}
