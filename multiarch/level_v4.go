//go:build amd64.v4

package multiarch

const compiled Level = 4
