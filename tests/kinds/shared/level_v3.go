//go:build amd64.v3 && !amd64.v4

package main

const level = "v3"
