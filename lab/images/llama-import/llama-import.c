/* A module that asks for WASI-NN as LlamaEdge's programs do: by a function that only the plugin
 * has. Without it WasmEdge cannot link the module. */
#include <stdint.h>
#include <stdio.h>

__attribute__((import_module("wasi_ephemeral_nn"), import_name("load_by_name_with_config")))
uint32_t nn_load_by_name_with_config(const char *name, uint32_t name_length, const char *config,
                                     uint32_t config_length, uint32_t *graph);

int main(void) {
    uint32_t graph = 0;
    uint32_t error = nn_load_by_name_with_config("default", 7, "{}", 2, &graph);
    fprintf(stderr, "load_by_name_with_config failed with WASI-NN error %u\n", error);
    return 1;
}
