//go:build amd64 && !amd64.v2

package compiled

// Level is the GOAMD64 that this code was compiled for.
const Level = "v1"
