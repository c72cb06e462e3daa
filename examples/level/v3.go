//go:build amd64.v3 && !amd64.v4

package level

// Compiled is the GOAMD64 that this code was compiled for.
const Compiled = "v3"
