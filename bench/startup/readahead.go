package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// readAheadFile returns the file that holds the read-ahead, in KiB, of the file
// system that a file is on. Source: Documentation/ABI/testing/sysfs-class-bdi of
// the kernel.
func readAheadFile(path string) (string, error) {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return "", &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", unix.Major(stat.Dev), unix.Minor(stat.Dev)), nil
}

// readAhead returns the read-ahead of a file's file system in KiB, or 0 where
// that has none.
func readAhead(path string) int {
	name, err := readAheadFile(path)
	if err != nil {
		return 0
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return 0
	}
	kib, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return kib
}

// setReadAhead sets the read-ahead of the file systems that the commands are on,
// until restore is called or a signal ends this process.
func setReadAhead(kib int, commands []command) (restore func(), err error) {
	before := map[string][]byte{}
	undo := func() {
		for name, text := range before {
			os.WriteFile(name, text, 0)
		}
	}
	for _, c := range commands {
		name, err := readAheadFile(c.path)
		if err != nil {
			undo()
			return nil, err
		}
		if before[name] != nil {
			continue
		}
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(name, []byte(strconv.Itoa(kib)), 0)
		}
		if err != nil {
			undo()
			if errors.Is(err, fs.ErrPermission) {
				err = fmt.Errorf("%w: want root", err)
			}
			return nil, fmt.Errorf("setting the read-ahead of the file system of %s: %w", c.path, err)
		}
		before[name] = text
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, unix.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-ended:
			undo()
			os.Exit(128 + int(s.(unix.Signal)))
		case <-done:
		}
	}()
	return func() {
		signal.Stop(ended)
		close(done)
		undo()
	}, nil
}
