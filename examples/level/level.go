// Package level says which level of GOAMD64 a program was compiled for.
//
// Compiled is a constant that build tags choose, so it is the compiler's word,
// not a look at the CPU.
package level
