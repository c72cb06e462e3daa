//go:build amd64 && !amd64.v2

package multiarch

const compiled Level = 1
