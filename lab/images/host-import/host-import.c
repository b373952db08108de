/* A module that was built for a host with functions of its own. */
#include <stdint.h>
#include <stdio.h>

__attribute__((import_module("env"), import_name("host_infer")))
uint32_t host_infer(const char *prompt, uint32_t length);

int main(void) {
    printf("%u\n", host_infer("hello", 5));
    return 0;
}
