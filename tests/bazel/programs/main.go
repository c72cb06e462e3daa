// A program that links fast, and says what it was compiled for.
package main

import "os"

func main() { os.Stdout.WriteString("compiled " + level + "\n") }
