// A program that is not Go, built with -DLEVEL=n, and -DLARGE=n for n bytes of
// data more, or -DFILL=n for n integers of constants and of data more. It checks how it was loaded, prints "vN ok" and its arguments, and
// exits with status 3. With the argument "protection" it prints how its stack
// and its data are mapped, those that only the dynamic linker writes among them,
// where its interpreter begins, and which files are open. With "distance" it prints how far
// its interpreter and its C library are from its data.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static __thread int local = 41;
static int zeroes[1 << 20];
static int data[] = {1, 2, 3};
static int constructed;

#ifdef LARGE
#define TEXT(x) #x
#define VALUE(x) TEXT(x)
__asm__(".data\nlarge: .fill " VALUE(LARGE) ", 1, 7\n.previous");
extern char large[];
#endif

#ifdef FILL
static const volatile int constants[FILL] = {LEVEL};
static volatile int filled[FILL] = {LEVEL};
#endif

__attribute__((constructor)) static void construct(void) { constructed = 7; }

// Data that needs a relocation where the program may be anywhere (PT_GNU_RELRO).
static int *const relocated[] = {data, data + 1};

static void protection(const char *name, const volatile void *p) {
	char line[512], flags[5];
	unsigned long low, high, addr = (unsigned long)p;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps && fgets(line, sizeof line, maps))
		if (sscanf(line, "%lx-%lx %4s", &low, &high, flags) == 3 && low <= addr && addr < high) printf("%s %s\n", name, flags);
	if (maps) fclose(maps);
}

int main(int argc, char **argv) {
	if (argc == 2 && !strcmp(argv[1], "protection")) {
		protection("stack", &argc);
		protection("data", data);
		protection("relocated", relocated);
		protection("interpreter", (void *)getauxval(AT_BASE));
		for (int fd = 0; fd < 64; fd++)
			if (dup2(fd, fd) == fd) printf("file %d\n", fd);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "distance")) {
		printf("%#lx %#lx\n", getauxval(AT_BASE) - (unsigned long)data, (unsigned long)printf - (unsigned long)data);
		return 0;
	}
	long sum = 0;
	for (int i = 0; i < 1 << 20; i++) sum += zeroes[i];
	if (sum != 0 || data[1] != 2 || local != 41 || constructed != 7) {
		printf("v%d failed\n", LEVEL);
		return 1;
	}
#ifdef LARGE
	if (large[0] != 7 || large[LARGE - 1] != 7) {
		printf("v%d failed: large\n", LEVEL);
		return 1;
	}
#endif
#ifdef FILL
	for (int i = 0; i < FILL; i++) sum += constants[i] + filled[i];
	if (sum != 2 * LEVEL) {
		printf("v%d failed: %ld\n", LEVEL, sum);
		return 1;
	}
#endif
	// The heap of brk has to have room behind all variants.
	char *heap = sbrk(16 << 20);
	if (heap == (void *)-1) {
		printf("v%d failed: brk\n", LEVEL);
		return 1;
	}
	heap[0] = heap[(16 << 20) - 1] = 1;
	char *memory = malloc(1 << 22);
	memory[5] = 1;
	printf("v%d ok ", LEVEL);
	for (int i = 1; i < argc; i++) printf("%s%s", argv[i], i + 1 < argc ? " " : "");
	printf("\n");
	free(memory);
	exit(3);
}
