//go:build amd64.v4

package main

const level = "v4"
