// Web serves the files in its static folder, which it finds through runfiles.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/bazelbuild/rules_go/go/runfiles"

	"rules_go_multiarch_examples/level"
)

// static is set by the build: the path of the index page among the runfiles.
var static string

func main() {
	address := flag.String("listen", "localhost:8080", "address to listen on")
	flag.Parse()
	if err := serve(*address); err != nil {
		log.Fatal(err)
	}
}

func serve(address string) error {
	index, err := runfiles.Rlocation(static)
	if err != nil {
		return fmt.Errorf("finding the index page: %w", err)
	}
	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, index) })
	http.HandleFunc("GET /level", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, level.Compiled) })
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", listener.Addr())
	return http.Serve(listener, nil)
}
