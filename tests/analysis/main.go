// The program that analysis tests pack. It is never started.
package main

import "os"

func main() { os.Exit(0) }
