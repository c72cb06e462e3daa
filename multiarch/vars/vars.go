// Package vars publishes what package multiarch knows as an expvar, beside the
// program's other variables. It is a package of its own because expvar brings
// net/http along.
package vars

import (
	"expvar"

	"rules_go_multiarch/multiarch"
)

// Publish publishes a multiarch.Info under a name. As expvar.Publish, it ends
// the program when the name is taken.
func Publish(name string) {
	expvar.Publish(name, expvar.Func(func() any {
		// What cannot be read is left out; the levels are right all the same.
		info, _ := multiarch.Read()
		return info
	}))
}
