package programs

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Settle brings a file into the page cache by reading it from the disk from
// beginning to end. How a file came there decides how large the pieces are that
// the kernel keeps it in, and so how many page faults mapping it takes: a file
// that a linker has just written would not compare with one that was copied.
func Settle(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Sync(); err != nil {
		return fmt.Errorf("writing %s back to disk: %w", path, err)
	}
	if err := unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("dropping %s from the page cache: %w", path, err)
	}
	if _, err := io.Copy(io.Discard, file); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}
