package gobuild

import (
	"bytes"
	"io"
	"sync"
)

// Log gathers what the builds of several levels print, line by line, each line
// behind its level.
type Log struct {
	mutex sync.Mutex
	w     io.Writer
	last  *levelLog // whose line was printed last
}

// NewLog returns a log that prints to w.
func NewLog(w io.Writer) *Log { return &Log{w: w} }

// maxKept bounds what is kept of a level's output to be repeated.
const maxKept = 64 << 10

// levelLog is the writer of one level.
type levelLog struct {
	log    *Log
	prefix string
	rest   []byte // of an unfinished line
	kept   []byte // the last lines, with prefixes
}

func (l *Log) level(prefix string) *levelLog { return &levelLog{log: l, prefix: prefix + ": "} }

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
		if err := l.print(l.rest[:end]); err != nil {
			return 0, err
		}
		l.rest = l.rest[end+1:]
	}
}

func (l *levelLog) print(line []byte) error {
	text := append(append([]byte(l.prefix), line...), '\n')
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
		l.print(l.rest)
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
