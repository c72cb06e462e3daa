//go:build amd64.v3

package main

const level = "for v3 or higher"
