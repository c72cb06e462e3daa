// Program is what tests debug, profile and crash. It has things for debuggers
// to find: a package variable whose value is another one at each level, an
// interface, goroutines, a function that takes all the time.
package main

import (
	"fmt"
	"os"
	"runtime/pprof"
	"strconv"
	"time"
)

// Shape is implemented by Square.
type Shape interface{ Area() int }

// Square is what the variable figure holds.
type Square struct{ Side int }

// Area implements Shape.
func (s Square) Area() int { return s.Side * s.Side }

var (
	counter = 7    // main adds the level: initialised data
	total   uint64 // main gives it a value: .noptrbss
	figure  Shape
	label   = "unset"
)

func main() {
	counter += 10 * level
	label = "level " + strconv.Itoa(level)
	figure = Square{Side: 10 + level}
	total = 1000 + uint64(level)
	stop := make(chan bool)
	go waiter(stop)
	mode := ""
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	work(mode)
	close(stop)
}

// waiter is there to be seen in a list of goroutines.
func waiter(stop chan bool) { <-stop }

//go:noinline
func work(mode string) {
	answer := inner(counter) + inC(level)
	switch mode {
	case "spin":
		spin(5000)
	case "wait":
		fmt.Println("waiting")
		time.Sleep(time.Hour)
	case "crash":
		crash(answer)
	case "traceback":
		pprof.Lookup("goroutine").WriteTo(os.Stdout, 2)
	case "profile":
		file, err := os.Create(os.Args[2])
		if err != nil {
			panic(err)
		}
		pprof.StartCPUProfile(file)
		spin(5000)
		pprof.StopCPUProfile()
		file.Close()
	}
	fmt.Println(answer, figure.Area(), label, total)
}

//go:noinline
func inner(n int) int {
	local := n * 2
	return local + 1
}

// spin takes about half a second of the CPU.
//
//go:noinline
func spin(times int) {
	for range times {
		burn(100000)
	}
}

// burn has a frame, for it calls something: where a function has none, nobody
// can tell its caller by the frame pointer.
//
//go:noinline
func burn(n int) {
	for i := 0; i < n; i++ {
		total = total*6364136223846793005 + 1442695040888963407
	}
	inner(n)
}

//go:noinline
func crash(n int) {
	var nothing *Square
	fmt.Println(n, nothing.Side)
}
