//go:build amd64.v3 && !amd64.v4

package compiled

// Level is the GOAMD64 that this code was compiled for.
const Level = "v3"
