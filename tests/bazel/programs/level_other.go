//go:build !amd64.v3

package main

const level = "for v1 or v2"
