// Package half is there to be covered by one half.
package half

// Of returns half of a number.
func Of(n int) int {
	if n%2 != 0 {
		panic("odd")
	}
	return n / 2
}
