package pack

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"

	"rules_go_multiarch/tools/packer/internal/variant"
)

// digester hashes variants, with as many workers as call work.
type digester struct {
	ctx      context.Context
	variants []*variant.Variant
	queue    chan int
	digests  [][sha256.Size]byte
	errs     []error
	left     sync.WaitGroup // variants
}

func newDigester(ctx context.Context, variants []*variant.Variant) *digester {
	d := &digester{ctx: ctx, variants: variants, queue: make(chan int, len(variants)), digests: make([][sha256.Size]byte, len(variants)), errs: make([]error, len(variants))}
	for i := range variants {
		d.queue <- i
	}
	close(d.queue)
	d.left.Add(len(variants))
	return d
}

// work hashes what nobody else has begun with.
func (d *digester) work() {
	for i := range d.queue {
		v := d.variants[i]
		if d.digests[i], d.errs[i] = v.Digest(d.ctx); d.errs[i] != nil {
			d.errs[i] = fmt.Errorf("%s: %w", v.Path, d.errs[i])
		}
		d.left.Done()
	}
}

// wait returns the digests, all of which are different.
func (d *digester) wait() ([][sha256.Size]byte, error) {
	d.left.Wait()
	for _, err := range d.errs {
		if err != nil {
			return nil, err
		}
	}
	return d.digests, checkDistinct(d.variants, d.digests)
}

// checkDistinct refuses two variants of the same bytes.
func checkDistinct(variants []*variant.Variant, digests [][sha256.Size]byte) error {
	for i, v := range variants {
		for j, other := range variants[:i] {
			if digests[j] == digests[i] {
				return fmt.Errorf("%s: given as %v, but byte-identical to %s, given as %v: each level needs its own build", v.Path, v.Level, other.Path, other.Level)
			}
		}
	}
	return nil
}
