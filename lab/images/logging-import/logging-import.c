/* A module that asks for wasi-logging, as stock LlamaEdge programs do. */
#include <stdint.h>
#include <stdio.h>

__attribute__((import_module("wasi:logging/logging"), import_name("log")))
void wasi_log(uint32_t level, const char *context, uint32_t context_length, const char *message,
              uint32_t message_length);

int main(void) {
    wasi_log(2, "lab", 3, "hello", 5);
    return 0;
}
