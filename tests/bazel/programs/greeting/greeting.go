// Package greeting is what two programs have in common.
package greeting

// Of returns a line about a level.
func Of(level string) string { return text() + level + "\n" }

//go:noinline
func text() string { return "compiled " }
