package gobuild

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Log gathers what the builds of several levels print, line by line, each line
// behind its level.
type Log struct {
	mutex      sync.Mutex
	w          io.Writer
	stdout     io.Writer
	last       *levelLog       // whose line was printed last
	downloaded map[string]bool // lines that say so, which are printed once
}

// NewLog returns a log that prints to stderr, and the events of -json to stdout.
func NewLog(stdout, stderr io.Writer) *Log {
	return &Log{w: stderr, stdout: stdout, downloaded: map[string]bool{}}
}

// maxKept bounds what is kept of a level's output to be repeated.
const maxKept = 64 << 10

// levelLog is the writer of one level, or of a command for all of them.
type levelLog struct {
	log   *Log
	line  func(line []byte) error // what becomes of a line, which ends with a newline
	rest  []byte                  // of an unfinished line
	kept  []byte                  // the last lines, as they were printed
	begun bool
}

// level returns a writer whose lines are printed behind the name of a level.
func (l *Log) level(name string) *levelLog {
	level := &levelLog{log: l}
	level.line = func(line []byte) error { return level.print(append([]byte(name+": "), line...)) }
	return level
}

// commands returns a writer for what -n prints: lines as they are, which a shell can
// read, behind one comment with the level, in the form of the go command's.
func (l *Log) commands(name string) *levelLog {
	level := &levelLog{log: l}
	level.line = func(line []byte) error {
		if !level.begun {
			level.begun = true
			line = append(fmt.Appendf(nil, "#\n# GOAMD64=%s\n#\n\n", name), line...)
		}
		return level.print(line)
	}
	return level
}

// events returns a writer for what -json prints: each event gets a field for the level.
// What is no event goes to other.
func (l *Log) events(name string, other *levelLog) *levelLog {
	return &levelLog{log: l, line: func(line []byte) error {
		event := bytes.TrimSpace(line)
		if !bytes.HasPrefix(event, []byte("{")) || !json.Valid(event) {
			return other.line(line)
		}
		event = bytes.TrimRight(bytes.TrimSuffix(event, []byte("}")), " ")
		if !bytes.HasSuffix(event, []byte("{")) {
			event = append(event, ',')
		}
		_, err := l.stdout.Write(fmt.Appendf(event, "%q:%q}\n", "GOAMD64", name))
		return err
	}}
}

// downloads returns a writer for a command whose messages are not printed, but for
// those about downloads. The others go to w.
func (l *Log) downloads(w io.Writer) *levelLog {
	return &levelLog{log: l, line: func(line []byte) error {
		_, err := w.Write(line)
		return err
	}}
}

// Write implements io.Writer.
func (l *levelLog) Write(p []byte) (int, error) {
	l.log.mutex.Lock()
	defer l.log.mutex.Unlock()
	l.rest = append(l.rest, p...)
	for {
		end := bytes.IndexByte(l.rest, '\n')
		if end < 0 {
			return len(p), nil
		}
		if err := l.take(l.rest[:end+1]); err != nil {
			return 0, err
		}
		l.rest = l.rest[end+1:]
	}
}

// take prints a line that tells of a download when no level has told of it, and does with
// any other what is to be done with it.
func (l *levelLog) take(line []byte) error {
	text := string(line)
	if !strings.HasPrefix(text, "go: downloading ") {
		return l.line(bytes.Clone(line))
	}
	if l.log.downloaded[text] {
		return nil
	}
	l.log.downloaded[text] = true
	_, err := io.WriteString(l.log.w, text)
	return err
}

func (l *levelLog) print(text []byte) error {
	l.kept = append(l.kept, text...)
	if over := len(l.kept) - maxKept; over > 0 {
		l.kept = l.kept[over+bytes.IndexByte(l.kept[over:], '\n')+1:]
	}
	l.log.last = l
	_, err := l.log.w.Write(text)
	return err
}

// end prints an unfinished line.
func (l *levelLog) end() {
	l.log.mutex.Lock()
	defer l.log.mutex.Unlock()
	if len(l.rest) > 0 {
		l.take(append(l.rest, '\n'))
		l.rest = nil
	}
}

// repeat prints the level's output again when another level's came after it.
func (l *levelLog) repeat() {
	l.log.mutex.Lock()
	defer l.log.mutex.Unlock()
	if l.log.last != l && len(l.kept) > 0 {
		l.log.w.Write(l.kept)
		l.log.last = l
	}
}
