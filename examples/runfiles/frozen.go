//go:build frozen

package main

func init() {
	release, builtAt = "none", "never"
}
