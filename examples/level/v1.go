//go:build amd64 && !amd64.v2

package level

// Compiled is the GOAMD64 that this code was compiled for.
const Compiled = "v1"
