// Program prints what package multiarch says of it.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"rules_go_multiarch/multiarch"
)

func main() {
	info, err := multiarch.Read()
	if err := json.NewEncoder(os.Stdout).Encode(info); err != nil {
		panic(err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "program:", err)
		os.Exit(1)
	}
}
