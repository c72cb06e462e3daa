//go:build !amd64

package multiarch

const compiled Level = 0
