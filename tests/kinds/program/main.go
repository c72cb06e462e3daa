// Program is linked in every way that the go command knows. It exercises what
// depends on being loaded right, prints "vN ok" with the level that it was
// compiled for, and exits with status 3. With the argument "base" it prints the
// address of a function.
package main

import (
	"fmt"
	"os"
	"os/user"
	"reflect"
	"runtime"
	"strings"
	"sync"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "base" {
		fmt.Printf("%#x\n", reflect.ValueOf(main).Pointer())
		return
	}
	check(level != "", "no level")
	check(threads() == 1000, "threads")
	check(recovers(), "recovering from a nil dereference")
	check(strings.Contains(caller(), "main.main"), "names of functions")
	_, err := user.Current()
	check(err == nil, "user.Current")
	if problem := c(); problem != "" {
		check(false, "C: "+problem)
	}
	fmt.Println(level, "ok", strings.Join(os.Args[1:], " "))
	os.Exit(3)
}

func check(ok bool, what string) {
	if !ok {
		fmt.Println(level, "failed:", what)
		os.Exit(1)
	}
}

// threads makes the runtime start threads and collect garbage.
func threads() int {
	var wait sync.WaitGroup
	var mutex sync.Mutex
	sum := 0
	for range 1000 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			data := make([]*int, 1000)
			data[1] = new(int)
			mutex.Lock()
			sum += 1 + *data[1]
			mutex.Unlock()
		}()
	}
	runtime.GC()
	wait.Wait()
	return sum
}

// recovers raises a signal in Go code.
func recovers() (ok bool) {
	defer func() { ok = recover() != nil }()
	var p *int
	*p = 1
	return false
}

//go:noinline
func caller() string {
	pc, _, _, _ := runtime.Caller(1)
	return runtime.FuncForPC(pc).Name()
}
