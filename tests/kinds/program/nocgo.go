//go:build !cgo || nocfiles

package main

func c() string { return "" }
