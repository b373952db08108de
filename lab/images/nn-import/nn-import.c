/* A module that asks for WASI-NN as the specification's first version has it.
 *
 * WasmEdge without the plugin answers these five functions itself, with an error that names the
 * plugin (lib/host/mock/wasi_nn_module.h).
 */
#include <stdint.h>
#include <stdio.h>

#define IMPORT(name) __attribute__((import_module("wasi_ephemeral_nn"), import_name(name)))

struct bytes {
    const void *data;
    uint32_t length;
};

IMPORT("load")
uint32_t nn_load(struct bytes *parts, uint32_t count, uint32_t encoding, uint32_t target,
                 uint32_t *graph);

int main(void) {
    static const char model[] = "no model";
    struct bytes part = {model, sizeof model};
    uint32_t graph = 0;
    uint32_t error = nn_load(&part, 1, 0, 0, &graph);
    fprintf(stderr, "load failed with WASI-NN error %u\n", error);
    return 1;
}
