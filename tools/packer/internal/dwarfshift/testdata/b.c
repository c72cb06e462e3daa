#include <string.h>
extern int global;
int unusedToo(void) { return global; }

int elsewhere(int n, char **v) {
  char copy[64];
  strncpy(copy, v[0], sizeof copy - 1);
  copy[63] = 0;
  {
    int local = global + n;
    for (char *p = copy; *p; p++) local += *p;
    return local;
  }
}
