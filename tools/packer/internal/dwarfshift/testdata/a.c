/* What compilers describe in many ways: inlined calls, variables that move from
   register to register, several sections, thread-local and unused things. */
#include <stdio.h>
#include <stdlib.h>

_Thread_local int thread = 3;
static _Thread_local long thread2;
int global = 1;
static int table[16];
int *const pointer = &global;
extern int elsewhere(int, char **);
struct bits { unsigned a : 3; int b; double c; };

static inline int twice(int x) { return 2 * x + table[x & 15]; }

int unused(int x) { return twice(x) + 1; }

__attribute__((noinline)) static int vary(int n, const char *s) {
  int rows[n + 1];
  for (int i = 0; i <= n; i++) {
    int square = i * i;
    rows[i] = square + twice(i) + s[i % 2];
    if (rows[i] < 0) abort();
  }
  return rows[n];
}

__attribute__((cold, noinline)) void fail(int code) { exit(code + thread2); }

int main(int argc, char **argv) {
  struct bits bits = {argc, argc, argc};
  int sum = 0;
  for (int i = 0; i < argc * 3; i++) {
    static int count;
    count += i;
    sum += vary(i, argv[0]) + twice(count) + bits.a;
  }
  if (__builtin_expect(sum == 17, 0)) fail(sum);
  printf("%d %d %p\n", sum + *pointer, elsewhere(argc, argv), (void *)&thread);
  return 0;
}
