package pack

import (
	"io"
	"sync/atomic"
)

// behind is a writer whose buffers are written while the next one is filled.
type behind struct {
	buffer     []byte
	full, free chan []byte
	failed     atomic.Bool
	done       chan error
}

const behindSize = 1 << 20

func writeBehind(w io.Writer) *behind {
	b := &behind{buffer: make([]byte, 0, behindSize), full: make(chan []byte), free: make(chan []byte, 2), done: make(chan error, 1)}
	b.free <- make([]byte, 0, behindSize)
	go func() {
		var err error
		for buffer := range b.full {
			if err == nil {
				if _, err = w.Write(buffer); err != nil {
					b.failed.Store(true)
				}
			}
			b.free <- buffer[:0]
		}
		b.done <- err
	}()
	return b
}

// Write implements io.Writer. Its only error is that an earlier buffer could not
// be written; close says why.
func (b *behind) Write(data []byte) (int, error) {
	for rest := data; ; {
		n := min(len(rest), behindSize-len(b.buffer))
		b.buffer = append(b.buffer, rest[:n]...)
		if rest = rest[n:]; len(rest) == 0 {
			return len(data), nil
		}
		b.full <- b.buffer
		b.buffer = <-b.free
		if b.failed.Load() {
			return 0, io.ErrClosedPipe
		}
	}
}

// close writes what is left, and returns the first error of all writes.
func (b *behind) close() error {
	b.full <- b.buffer
	close(b.full)
	return <-b.done
}
