package variant

import (
	"context"
	"crypto/sha256"
	"io"
)

type progressKey struct{}

// WithProgress returns a context under which what reads whole files tells f how
// many bytes it has read since it last did. f may be called from several
// goroutines at once.
func WithProgress(ctx context.Context, f func(n int64)) context.Context {
	return context.WithValue(ctx, progressKey{}, f)
}

// Progress tells the context's function of n more bytes.
func Progress(ctx context.Context, n int64) {
	if f, ok := ctx.Value(progressKey{}).(func(int64)); ok {
		f(n)
	}
}

// Digest returns the SHA-256 of the whole file.
func (v *Variant) Digest(ctx context.Context) ([sha256.Size]byte, error) {
	return Digest(ctx, v.Reader())
}

// Digest returns the SHA-256 of what a reader has.
func Digest(ctx context.Context, r io.Reader) (digest [sha256.Size]byte, err error) {
	hash := sha256.New()
	buffer := make([]byte, 256<<10)
	for {
		if ctx.Err() != nil {
			return digest, ctx.Err()
		}
		n, err := r.Read(buffer)
		hash.Write(buffer[:n])
		Progress(ctx, int64(n))
		if err == io.EOF {
			return [sha256.Size]byte(hash.Sum(nil)), nil
		}
		if err != nil {
			return digest, err
		}
	}
}
