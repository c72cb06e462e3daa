//go:build withc

package main

/*
int c_counter = 7;

static __attribute__((noinline)) int c_inner(int n) {
	int c_local = 2 * n;
	c_counter += n;
	__asm__ volatile("" : : "r"(c_local) : "memory");
	return c_local + c_counter;
}

int c_work(int n) {
	volatile char frame[100 + n]; // a frame that has to be known to be left
	frame[n] = n;
	return c_inner(n) + frame[n];
}
*/
import "C"

// inC has C code run, for debuggers to stop in.
func inC(n int) int { return int(C.c_work(C.int(n))) }
