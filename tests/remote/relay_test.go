//go:build servers

package remote_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// dyingRelay passes connections on to a server until it has carried so many
// bytes, in either direction. Then the server seems to be dead.
func dyingRelay(t *testing.T, server string, limit int64) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{left: limit, listener: listener}
	t.Cleanup(func() {
		r.close()
		if r.left > 0 {
			t.Errorf("the server never died: %d of %d bytes were left", r.left, limit)
		}
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			conn, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			r.add(client, conn)
			go r.carry(client, conn)
			go r.carry(conn, client)
		}
	}()
	return listener.Addr().String()
}

type relay struct {
	listener net.Listener
	mutex    sync.Mutex
	left     int64
	open     []net.Conn
}

func (r *relay) add(conns ...net.Conn) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.open = append(r.open, conns...)
}

func (r *relay) carry(from, to net.Conn) {
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && r.spend(n) {
			r.close()
			return
		}
		if _, writeErr := to.Write(buffer[:n]); err != nil || writeErr != nil {
			if err != io.EOF || writeErr != nil {
				from.Close()
			}
			to.Close()
			return
		}
	}
}

// spend reports whether nothing is left.
func (r *relay) spend(n int) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.left -= int64(n)
	return r.left <= 0
}

func (r *relay) close() {
	r.listener.Close()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, conn := range r.open {
		conn.Close()
	}
}
