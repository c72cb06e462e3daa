//go:build !amd64

package level

// Compiled is the GOAMD64 that this code was compiled for, or "none" on other CPUs than amd64.
const Compiled = "none"
