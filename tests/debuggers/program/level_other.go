//go:build !amd64

package main

const level = 0
