//go:build !withc

package main

func inC(n int) int { return n }
