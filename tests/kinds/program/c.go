//go:build cgo && !nocfiles

package main

/*
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

static __thread int local = 41;
static int constructed;
static int zeroes[4096];

__attribute__((constructor)) static void construct(void) { constructed = 7; }

static void *thread(void *arg) {
	local++;
	return (void *)(long)local;
}

static int find(struct dl_phdr_info *info, size_t size, void *data) {
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		ElfW(Addr) start = info->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_LOAD && (ElfW(Addr))find >= start && (ElfW(Addr))find < start + p->p_memsz)
			*(int *)data = 1;
	}
	return 0;
}

static const char *test(void) {
	void *result = NULL;
	pthread_t t;
	int found = 0;
	char *memory = malloc(1 << 20);
	if (memory == NULL) return "malloc";
	memset(memory, 1, 1 << 20);
	free(memory);
	if (constructed != 7) return "constructor";
	for (int i = 0; i < 4096; i++)
		if (zeroes[i] != 0) return "zeroed data";
	if (local != 41) return "thread-local variable";
	if (pthread_create(&t, NULL, thread, NULL) != 0) return "pthread_create";
	pthread_join(t, &result);
	if ((long)result != 42 || local != 41) return "thread-local variable of a thread";
	dl_iterate_phdr(find, &found);
	if (!found) return "dl_iterate_phdr does not show the program";
	if (getauxval(AT_PHDR) == 0) return "AT_PHDR";
	return NULL;
}
*/
import "C"

// c tests what the C library relies on and says what is wrong.
func c() string {
	if problem := C.test(); problem != nil {
		return C.GoString(problem)
	}
	return ""
}
