/* The server alone. Port: environment variable PORT, else 8080. */
#include "../server.h"

int main(void) {
    const char *text = getenv("PORT");
    return serve(text != NULL ? (uint32_t)atoi(text) : 8080);
}
