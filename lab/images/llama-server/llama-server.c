/* A model server as LlamaEdge's: it loads a model by its alias through WASI-NN, then listens.
 *
 * Arguments: --model-alias NAME (default: default), --port NUMBER (8080).
 */
#include "../server.h"

__attribute__((import_module("wasi_ephemeral_nn"), import_name("load_by_name_with_config")))
uint32_t nn_load_by_name_with_config(const char *name, uint32_t name_length, const char *config,
                                     uint32_t config_length, uint32_t *graph);

static const char *option(int count, char **words, const char *name, const char *otherwise) {
    for (int i = 1; i + 1 < count; i++)
        if (strcmp(words[i], name) == 0)
            return words[i + 1];
    return otherwise;
}

int main(int count, char **words) {
    static const char config[] = "{\"ctx-size\":512,\"n-gpu-layers\":0}";
    const char *alias = option(count, words, "--model-alias", "default");
    uint32_t graph = 0;
    uint32_t error = nn_load_by_name_with_config(alias, (uint32_t)strlen(alias), config,
                                                 sizeof config - 1, &graph);
    if (error != 0) {
        fprintf(stderr, "Error: Operation(\"Failed to create graph '%s': WASI-NN error %u\")\n",
                alias, error);
        return 1;
    }
    return serve((uint32_t)atoi(option(count, words, "--port", "8080")));
}
