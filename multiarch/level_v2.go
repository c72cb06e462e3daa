//go:build amd64.v2 && !amd64.v3

package multiarch

const compiled Level = 2
