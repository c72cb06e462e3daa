// Package atomicfile writes files that are there whole or not at all.
package atomicfile

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Write calls fill with a new file beside path, with the given permissions
// less the process's umask, and renames it to path when fill succeeds. What is
// no regular file, such as a device or a pipe, is written to in place, and so is
// what a name such as /dev/stdout leads to. Errors of the file system name path.
func Write(path string, mode os.FileMode, fill func(*os.File) error) error {
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return fmt.Errorf("%s: %w", path, syscall.EISDIR)
		}
		if InPlace(path) {
			return writeInto(path, fill)
		}
	}
	file, err := create(path, mode)
	if err != nil {
		return fmt.Errorf("%s: %w", path, reason(err))
	}
	temporary := file.Name()
	err = fill(file)
	if closed := file.Close(); err == nil && closed != nil {
		err = fmt.Errorf("%s: %w", path, reason(closed))
	}
	if err == nil {
		if err = os.Rename(temporary, path); err != nil {
			err = fmt.Errorf("%s: %w", path, reason(err))
		}
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err
}

// InPlace reports whether Write writes into what is at a path: no regular file, or one
// that the process has open and the path, such as /dev/stdout, stands for. What is written
// there goes behind what is there already, and in order.
func InPlace(path string) bool {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return err == nil
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		return false
	}
	absolute, err := filepath.Abs(path)
	return err == nil && (absolute == "/dev/stdout" || absolute == "/dev/stderr" ||
		strings.HasPrefix(absolute, "/dev/fd/") || strings.HasPrefix(absolute, "/proc/"))
}

// create makes a new file whose name no other process chooses.
func create(path string, mode os.FileMode) (*os.File, error) {
	for {
		temporary := filepath.Join(filepath.Dir(path), fmt.Sprintf(".packer-%08x", rand.Uint32()))
		file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, os.ErrExist) {
			return file, err
		}
	}
}

func writeInto(path string, fill func(*os.File) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", path, reason(err))
	}
	err = fill(file)
	if closed := file.Close(); err == nil && closed != nil {
		err = fmt.Errorf("%s: %w", path, reason(closed))
	}
	return err
}

// reason strips the temporary name from an error of package os.
func reason(err error) error {
	switch e := err.(type) {
	case *os.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}
