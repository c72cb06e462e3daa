package pack

import (
	"fmt"
	"io"
)

// padder writes zeroes up to given offsets.
type padder struct {
	w  io.Writer
	at uint64
}

func (p *padder) padTo(offset uint64) error {
	for p.at < offset {
		n, err := p.w.Write(zeroes[:min(offset-p.at, uint64(len(zeroes)))])
		p.at += uint64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

var zeroes [64 << 10]byte

func (p *padder) bytesAt(offset uint64, data []byte) error {
	if err := p.padTo(offset); err != nil {
		return err
	}
	n, err := p.w.Write(data)
	p.at += uint64(n)
	return err
}

// made writes what is made while it is written, of a size that was planned.
func (p *padder) made(size uint64, write func(io.Writer) error) error {
	end := p.at + size
	out := writeBehind(p)
	err := write(out)
	if written := out.close(); written != nil {
		err = written
	}
	if err != nil {
		return err
	}
	if p.at != end {
		return fmt.Errorf("an input changed while it was packed: its symbols took %d bytes, now they take %d", size, p.at+size-end)
	}
	return nil
}

// Write implements io.Writer.
func (p *padder) Write(data []byte) (int, error) {
	n, err := p.w.Write(data)
	p.at += uint64(n)
	return n, err
}
