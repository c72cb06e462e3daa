package vars_test

import (
	"encoding/json"
	"expvar"
	"fmt"

	"rules_go_multiarch/multiarch"
	"rules_go_multiarch/multiarch/vars"
)

// The value is JSON, at /debug/vars in a program that serves expvar's.
func ExamplePublish() {
	vars.Publish("multiarch")

	var info multiarch.Info
	if err := json.Unmarshal([]byte(expvar.Get("multiarch").String()), &info); err != nil {
		fmt.Println(err)
	}
	fmt.Println(info.Compiled == multiarch.Compiled(), info.Packed)
	// Output: true false
}
