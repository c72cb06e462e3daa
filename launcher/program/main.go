// Program is the executable that the packer takes the boot code from.
//
// It is linked with its entry point at boot.entry:
//
//	go build -ldflags="-E rules_go_multiarch/launcher/boot.entry" ./launcher/program
//
// The packer copies the machine code of package boot out of it and leaves the
// Go runtime behind, so this program is never run.
package main

import "rules_go_multiarch/launcher/boot"

func main() { boot.Link() }
