/* A module that ends in the way its argument names: a code, or one of the ways to trap. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int deeper(volatile int depth) {
    volatile char room[4096];
    if (depth < 0)
        return 0;
    room[depth % 4096] = 1;
    return deeper(depth + 1) + room[0];
}

int main(int count, char **words) {
    const char *how = count > 1 ? words[1] : "unreachable";
    volatile int zero = 0;

    printf("model loaded, starting\n");
    fflush(stdout);
    if (strcmp(how, "memory") == 0)
        return *(volatile int *)(uintptr_t)0x7ffffff0u;
    if (strcmp(how, "divide") == 0)
        return 1234 / zero;
    if (strcmp(how, "stack") == 0)
        return deeper(1);
    if (strcmp(how, "exit") == 0) {
        fprintf(stderr, "Error: cannot read the model: end of file\n");
        exit(count > 2 ? atoi(words[2]) : 1);
    }
    __builtin_trap();
}
