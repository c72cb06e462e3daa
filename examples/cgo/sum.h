#include <stddef.h>

/* Adds count values. */
long sum(const long *values, size_t count);
